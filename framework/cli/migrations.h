#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/manifest.h"
#include "cli/template.h"

/// A project's migrations are numbered, and applied for good: those of the template go behind those
/// that are there, and none is taken out from below another one.
namespace aegis::cli {

/// The tables that a migration makes, as `db revision` says it in the file.
std::set<std::string, std::less<>> tables_made_by(std::string_view migration);

/// What the project has of migrations.
struct OwnMigrations {
  std::vector<std::string> folders{};  ///< such as "0002_create_note"
  /// The content of a file of the project, and of one that was generated, by its id.
  std::function<std::optional<std::string>(const std::string& path)> read;
  std::function<std::optional<std::string>(const std::string& id)> generated;
};

/// Fits the migrations of `theirs` to them: new ones get the next numbers, and are left out where
/// the project has made their tables itself; the tables of all that stay belong to theirs'
/// schema.json. Answers the files that stay though they are not in theirs, since others follow
/// them.
std::set<std::string> fit_migrations(std::vector<ProjectFile>& theirs, const Manifest& base,
                                     const OwnMigrations& own);

/// Three versions of schema.json (`base` may be empty), table by table; nothing when both sides
/// have changed a table.
std::optional<std::string> merge_schemas(std::string_view base, std::string_view mine,
                                         std::string_view theirs);

}  // namespace aegis::cli
