#pragma once

#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "db/dialect.h"
#include "db/migrations/catalogue.h"
#include "db/table_schema.h"

namespace aegis::db {

/// What migrating asks of a database and each does in its own way.
class MigrationBackend {
 public:
  virtual ~MigrationBackend() = default;

  virtual const Dialect& dialect() const = 0;
  std::string_view name() const { return dialect().name(); }

  /// `options` for a database that is opened to migrate: no time-outs, one connection.
  virtual DatabaseOptions options(DatabaseOptions options) const = 0;

  /// Begins the session's transaction and waits until no other process migrates; until its end
  /// none will.
  virtual awaitable<void> lock(Session& session) const = 0;
  /// Commits and leaves the transaction, still locked, for statements that run in none; and begins
  /// it anew. Throws Error(invalid) where there are no such statements.
  virtual awaitable<void> leave_transaction(Session& session) const = 0;
  virtual awaitable<void> reenter_transaction(Session& session) const = 0;
  /// Before the commit: throws Error(conflict) when rows refer to rows that do not exist.
  virtual awaitable<void> check_references(Session& session) const = 0;

  /// Indexes and triggers that vanish when a migration builds their table anew, with their table's
  /// name; none where tables are altered in place.
  virtual awaitable<std::map<std::string, std::string>> dependents(Session& session) const = 0;

  virtual awaitable<bool> has_table(Session& session, std::string_view table) const = 0;
  /// What is in the database.
  virtual awaitable<Catalogue> inspect(Session& session) const = 0;
  /// What inspect() would tell of a database with just this schema. Leaves nothing behind.
  virtual awaitable<Catalogue> expect(Runtime& runtime, Database& database,
                                      const Schema& schema) const = 0;
};

const MigrationBackend& sqlite_backend();
const MigrationBackend& postgresql_backend();

const MigrationBackend& backend_of(Session& session);

/// Whether the database begins empty with every process: it is made from the models, without
/// migrations.
bool is_in_memory(const DatabaseOptions& options);

/// Options for a database that is opened to migrate the one that these name.
DatabaseOptions migration_options(DatabaseOptions options);

/// Runs SQL that answers nothing, in the session's transaction, which it begins where there is
/// none.
awaitable<void> run_in_transaction(Session& session, std::string_view sql);

}  // namespace aegis::db
