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

/// An applied migration that programs from before it cannot work with, and why: Section::breaks.
struct BreakingMigration {
  std::int64_t number{};
  std::string reasons{};  ///< a line each

  AEGIS_TABLE(BreakingMigration, "aegis_breaking_migrations", (number, primary_key), (reasons))
};

std::string_view framework_version();

/// What a database has of a folder's migrations.
struct MigrationState {
  std::vector<AppliedMigration> applied{};  ///< oldest first
  std::vector<Revision> pending{};
  /// Why nothing can be applied to it, nor the program work with it: a file was edited, or it
  /// is newer and that breaks older programs.
  std::vector<std::string> problems{};
  bool newer = false;  ///< it has migrations that the folder lacks
  /// Of a newer database that the program can work with: what it has, for people. Otherwise empty.
  std::string note{};

  std::int64_t current() const { return applied.empty() ? 0 : applied.back().number; }
};

/// What the database tells of its migrations.
struct MigrationHistory {
  std::vector<AppliedMigration> applied{};  ///< oldest first
  std::vector<BreakingMigration> breaking{};
  bool tells_breaking = false;  ///< it has the table of them
};

/// Compares what was applied with the files for `dialect`.
MigrationState compare(const MigrationFolder& folder, MigrationHistory history,
                       std::string_view dialect);

/// Reads it where its tables are.
awaitable<MigrationHistory> read_history(Session& session);

/// What the database says of itself.
awaitable<MigrationState> migration_state(Database& database, const MigrationFolder& folder);

}  // namespace aegis::db
