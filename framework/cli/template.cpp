#include "cli/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/marks.h"
#include "cli/migrations.h"
#include "cli/usage_error.h"
#include "db/migrations/snapshot.h"
#include "embedded/project_template.h"

namespace aegis::cli {

namespace {

struct Place {
  std::string_view from;  // the beginning of a path in this repository
  std::string_view to;    // and of the same in a project
  std::string_view mark = {};
};

// The first that fits. Whole files belong to a component by their place.
constexpr Place places[] = {
    {"services/api/shields.", "app/api/shields.", "database"},
    {"services/migrations/0002_create_jobs/", "migrations/0002_create_jobs/", "worker"},
    {"services/migrations/0003_create_schedules/", "migrations/0003_create_schedules/",
     "scheduler"},
    {"services/migrations/", "migrations/", "database"},
    {"services/models/", "app/models/", "database"},
    {"services/worker/polish_shields.", "app/worker/polish_shields.", "scheduler"},
    {"services/worker/", "app/worker/", "worker"},
    {"services/scheduler/", "app/scheduler/", "scheduler"},
    {"services/", "app/"},
    {"tests/services/shields_test.cpp", "tests/shields_test.cpp", "database"},
    {"tests/services/", "tests/"},
    {"deploy/postgres.sql", "deploy/postgres.sql", "postgresql"},
    {"framework/cli/project/gitignore", ".gitignore"},
    {"framework/cli/project/", ""},
    {"", ""},
};

const Place& place_of(std::string_view path) {
  return *std::ranges::find_if(places,
                               [&](const Place& place) { return path.starts_with(place.from); });
}

/// schema.json with the tables that the project's own migrations make.
std::string schema_of(std::string_view schema, const std::vector<ProjectFile>& files) {
  std::set<std::string, std::less<>> made;
  for (const auto& file : files) {
    if (file.path.starts_with("migrations/")) made.merge(tables_made_by(file.content));
  }
  db::Schema kept = db::read_snapshot(schema, "schema.json");
  std::erase_if(kept.tables, [&](const auto& table) { return !made.contains(table.name); });
  return db::write_snapshot(kept);
}

}  // namespace

std::vector<ProjectFile> project_files(const Choice& choice, std::string_view name) {
  std::vector<ProjectFile> files;
  std::string_view schema;
  for (const EmbeddedFile& embedded : embedded::project_template()) {
    const Place& place = place_of(embedded.name);
    if (!place.mark.empty() && !choice.has(place.mark)) continue;
    if (embedded.name.ends_with("/schema.json")) {
      schema = embedded.content;
      continue;
    }
    std::string path = fmt::format("{}{}", place.to, embedded.name.substr(place.from.size()));
    std::string content = apply_marks(embedded.content, choice, name, embedded.name);
    if (content.empty()) continue;
    const bool executable = content.starts_with("#!");
    files.push_back({std::move(path), std::move(content), executable});
  }
  if (!schema.empty()) files.push_back({"migrations/schema.json", schema_of(schema, files)});
  std::ranges::sort(files, {}, &ProjectFile::path);
  return files;
}

void check_project_name(std::string_view name) {
  constexpr std::string_view taken[] = {"aegis",   "all",           "app",  "application",
                                        "clean",   "edit_cache",    "help", "install",
                                        "package", "rebuild_cache", "test", "tests"};
  constexpr std::size_t longest = 64;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto good = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (name.empty() || !letter(name.front()) || !std::ranges::all_of(name, good)) {
    throw UsageError(fmt::format("\"{}\" is no name for a project", name),
                     "A name begins with a letter and has letters, digits, - and _ only; "
                     "--output-dir says where it goes.");
  }
  if (name.size() > longest) {
    throw UsageError(fmt::format("The name has {} letters, more than {}", name.size(), longest),
                     "Choose a shorter one.");
  }
  if (std::ranges::find(taken, name) != std::end(taken)) {
    throw UsageError(fmt::format("\"{}\" is taken: the project's build uses it", name),
                     fmt::format("Choose another, such as {}-service.", name));
  }
}

}  // namespace aegis::cli
