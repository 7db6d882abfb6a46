#pragma once

#include <string>
#include <vector>

#include "aegis/db/database.h"
#include "db/migrations/folder.h"

namespace aegis::db {

/// A row of the table that says what was applied to a database.
struct AppliedMigration {
  std::int64_t number{};
  std::string name{};
  std::string checksum{};
  Timestamp applied_at{};
  std::chrono::milliseconds duration{};
  std::string framework_version{};

  AEGIS_TABLE(AppliedMigration, "aegis_migrations", (number, primary_key), (name), (checksum),
              (applied_at), (duration), (framework_version))
};

std::string_view framework_version();

/// What a database has of a folder's migrations.
struct MigrationState {
  std::vector<AppliedMigration> applied{};  ///< oldest first
  std::vector<Revision> pending{};
  /// Why nothing can be applied to it: it is newer than the program, or a file was edited.
  std::vector<std::string> problems{};
  bool newer = false;  ///< it has migrations that the folder lacks

  std::int64_t current() const { return applied.empty() ? 0 : applied.back().number; }
};

/// Compares what was applied with the files for `dialect`.
MigrationState compare(const MigrationFolder& folder, std::vector<AppliedMigration> applied,
                       std::string_view dialect);

/// What the database says of itself.
awaitable<MigrationState> migration_state(Database& database, const MigrationFolder& folder);

}  // namespace aegis::db
