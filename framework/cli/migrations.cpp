#include "cli/migrations.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "aegis/core/error.h"
#include "db/migrations/snapshot.h"

namespace aegis::cli {

namespace {

constexpr std::string_view room = "migrations/";
constexpr const char* schema_file = "migrations/schema.json";

/// "0002_create_jobs" of "migrations/0002_create_jobs/sqlite.sql"; empty for other files.
std::string folder_of(std::string_view path) {
  if (!path.starts_with(room)) return {};
  path.remove_prefix(room.size());
  const auto slash = path.find('/');
  return slash == path.npos ? std::string() : std::string(path.substr(0, slash));
}

std::string slug_of(std::string_view folder) {
  return std::string(folder.substr(std::min(folder.find('_'), folder.size())));
}

int number_of(const std::string& folder) {
  return std::atoi(folder.c_str());
}

std::set<std::string, std::less<>> folders_of(const auto& files) {
  std::set<std::string, std::less<>> folders;
  for (const auto& file : files) folders.insert(folder_of(file.path));
  folders.erase("");
  return folders;
}

bool contains(const std::vector<std::string>& folders, std::string_view folder) {
  return std::ranges::find(folders, folder) != folders.end();
}

db::Schema schema_in(const std::optional<std::string>& text) {
  try {
    return text ? db::read_snapshot(*text, schema_file) : db::Schema();
  } catch (const Error&) {
    return {};  // with the conflict markers of a merge, for instance
  }
}

/// Where each of the template's folders goes; an empty name: it is left out.
std::map<std::string, std::string> places_of(const std::vector<ProjectFile>& theirs,
                                             const Manifest& base, const OwnMigrations& own) {
  const auto generated = folders_of(base.files);
  const db::Schema mine = schema_in(own.read(schema_file));
  int last = 0;
  for (const auto& folder : own.folders) last = std::max(last, number_of(folder));

  std::map<std::string, std::string> places;
  for (const auto& folder : folders_of(theirs)) {
    const auto known = std::ranges::find(generated, slug_of(folder), slug_of);
    if (known != generated.end()) {
      places[folder] = *known;
      continue;
    }
    std::set<std::string, std::less<>> tables;
    for (const auto& file : theirs) {
      if (folder_of(file.path) == folder) tables.merge(tables_made_by(file.content));
    }
    const bool made = !tables.empty() && std::ranges::all_of(tables, [&](const auto& table) {
      return mine.find(table) != nullptr;
    });
    places[folder] = made ? "" : fmt::format("{:04}{}", ++last, slug_of(folder));
  }
  return places;
}

/// The folders that were generated, are so no more, and have one behind them that stays.
std::set<std::string, std::less<>> followed(const std::vector<ProjectFile>& theirs,
                                            const Manifest& base, const OwnMigrations& own) {
  const auto wanted = folders_of(theirs);
  const auto generated = folders_of(base.files);
  int last = 0;  // that stays
  for (const auto& folder : own.folders) {
    if (wanted.contains(folder) || !generated.contains(folder)) {
      last = std::max(last, number_of(folder));
    }
  }
  std::set<std::string, std::less<>> kept;
  for (const auto& folder : generated) {
    if (!wanted.contains(folder) && number_of(folder) < last) kept.insert(folder);
  }
  return kept;
}

/// The tables of all migrations that stay belong to the schema.
void keep_tables(std::vector<ProjectFile>& theirs, const Manifest& base, const OwnMigrations& own,
                 const std::set<std::string, std::less<>>& kept) {
  const auto schema = std::ranges::find(theirs, schema_file, &ProjectFile::path);
  const std::string* id = base.id_of(schema_file);
  if (schema == theirs.end() || id == nullptr) return;
  std::set<std::string, std::less<>> made;
  const auto generated = folders_of(base.files);
  for (const auto& folder : own.folders) {
    if (generated.contains(folder) && !kept.contains(folder)) continue;
    for (const auto* dialect : {"sqlite", "postgresql"}) {
      const auto text = own.read(fmt::format("{}{}/{}.sql", room, folder, dialect));
      if (text) made.merge(tables_made_by(*text));
    }
  }
  auto text = own.generated(*id);
  if (!text) text = own.read(schema_file);
  db::Schema after = schema_in(schema->content);
  for (const auto& table : schema_in(text).tables) {
    if (made.contains(table.name) && !after.find(table.name)) after.tables.push_back(table);
  }
  schema->content = db::write_snapshot(after);
}

}  // namespace

std::set<std::string, std::less<>> tables_made_by(std::string_view migration) {
  constexpr std::string_view says = "--   new table ";
  std::set<std::string, std::less<>> tables;
  for (auto at = migration.find(says); at != migration.npos; at = migration.find(says, at + 1)) {
    const auto begin = at + says.size();
    tables.emplace(migration.substr(begin, migration.find('\n', begin) - begin));
  }
  return tables;
}

std::set<std::string> fit_migrations(std::vector<ProjectFile>& theirs, const Manifest& base,
                                     const OwnMigrations& own) {
  const auto places = places_of(theirs, base, own);
  std::erase_if(theirs, [&](const ProjectFile& file) {
    const auto place = places.find(folder_of(file.path));
    return place != places.end() && place->second.empty();
  });
  for (auto& file : theirs) {
    const std::string folder = folder_of(file.path);
    if (!folder.empty()) file.path.replace(room.size(), folder.size(), places.at(folder));
  }
  const auto folders = followed(theirs, base, own);
  keep_tables(theirs, base, own, folders);
  std::ranges::sort(theirs, {}, &ProjectFile::path);

  std::set<std::string> kept;
  for (const auto& file : base.files) {
    if (folders.contains(folder_of(file.path))) kept.insert(file.path);
  }
  return kept;
}

std::optional<std::string> merge_schemas(std::string_view base, std::string_view mine,
                                         std::string_view theirs) {
  try {
    const db::Schema before = base.empty() ? db::Schema() : db::read_snapshot(base, schema_file);
    const db::Schema own = db::read_snapshot(mine, schema_file);
    const db::Schema after = db::read_snapshot(theirs, schema_file);
    const auto equal = [](const db::TableSchema* a, const db::TableSchema* b) {
      return a == nullptr || b == nullptr ? a == b : *a == *b;
    };
    db::Schema merged;
    std::vector<std::string> names;
    for (const db::Schema* schema : {&own, &after}) {
      for (const auto& table : schema->tables) {
        if (!contains(names, table.name)) names.push_back(table.name);
      }
    }
    for (const auto& name : names) {
      const auto *b = before.find(name), *m = own.find(name), *t = after.find(name);
      if (!equal(b, m) && !equal(b, t) && !equal(m, t)) return std::nullopt;
      const auto* taken = equal(b, t) ? m : t;
      if (taken != nullptr) merged.tables.push_back(*taken);
    }
    return db::write_snapshot(merged);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace aegis::cli
