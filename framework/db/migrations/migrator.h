#pragma once

#include <functional>
#include <optional>

#include "aegis/core/runtime.h"
#include "db/migrations/history.h"

namespace aegis::db {

/// Applies migrations and takes them back, each in a transaction of its own (a failed one leaves
/// nothing behind) and under a lock, so that of several processes one does it and the others find
/// it done.
class Migrator {
 public:
  /// Told of each step, such as "0002_weigh_shields applied in 3 ms".
  using Report = std::function<void(const std::string& line)>;

  /// `database` was opened with migration_options(). All must outlive the migrator.
  Migrator(Runtime& runtime, Database& database, const MigrationFolder& folder)
      : runtime_(runtime), database_(database), folder_(folder) {}

  /// Applies what is pending, up to the migration of this number. A database without a record of
  /// migrations that has the tables just as the newest one leaves them gets the record.
  /// One that is newer is left alone when this program can work with it.
  /// Throws Error(conflict) when it is newer otherwise, was migrated by other files, or has
  /// other tables; Error of a statement that failed, with its migration.
  awaitable<void> upgrade(std::optional<std::int64_t> to, Report report);

  /// Takes back the newest ones until `to` is the newest. Throws Error(conflict) as upgrade(), and
  /// when that loses data and nobody allowed it.
  awaitable<void> downgrade(std::int64_t to, bool allow_destructive, Report report);

  /// How the database differs from what its migrations make, a line each. For a database that has
  /// all of them.
  awaitable<std::vector<std::string>> drift();

 private:
  awaitable<void> locked(FunctionRef<awaitable<void>(Session&)> body);
  awaitable<void> begin_history(Report& report);
  awaitable<MigrationState> state(Session& session) const;
  awaitable<bool> apply_next(Session& session, std::int64_t to, Report& report);
  awaitable<bool> revert_last(Session& session, std::int64_t to, bool allow_destructive,
                              Report& report);

  Runtime& runtime_;
  Database& database_;
  const MigrationFolder& folder_;
};

}  // namespace aegis::db
