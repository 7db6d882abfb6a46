#include "db/migrations/revision.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>

#include "aegis/core/error.h"
#include "db/migrations/snapshot.h"
#include "db/migrations/steps.h"
#include "db/postgres/dialect.h"
#include "db/sqlite/dialect.h"

namespace aegis::db {
namespace {

namespace fs = std::filesystem;

/// "Weigh shields!" → "weigh_shields"
std::string name_of(std::string_view message) {
  constexpr std::size_t longest = 60;
  std::string name;
  for (const char c : message) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      name += upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
    if (name.size() == longest) break;
  }
  while (name.ends_with('_')) name.pop_back();
  if (name.empty()) {
    throw Error(Errc::invalid,
                "Say in a few words what the migration does, as in -m \"weigh "
                "shields\"; they become its name.");
  }
  return name;
}

void refuse_losses(const SchemaDiff& change) {
  const auto losses = change.losses();
  if (losses.empty()) return;
  std::string message =
      fmt::format("The migration would lose data:\n  {}\n", fmt::join(losses, "\n  "));
  if (const auto hints = rename_hints(change); !hints.empty()) {
    message += fmt::format("If something has only a new name:\n  {}\n", fmt::join(hints, "\n  "));
  }
  throw Error(Errc::invalid, message + "If that is meant: --allow-destructive");
}

std::string section(const Dialect& dialect, const SchemaDiff& change, bool empty, bool up) {
  if (empty) return "";
  std::string text;
  if (up) {
    for (const auto& reason : change.breaks()) text += "-- breaking: " + reason + '\n';
  }
  for (const auto& loss : change.losses()) text += "-- destructive: " + loss + '\n';
  for (const auto& statement : steps(dialect, change)) text += statement + ";\n";
  return text;
}

void write(const fs::path& file, std::string_view text) {
  std::ofstream stream(file, std::ios::binary);
  stream << text;
  if (!stream.flush()) {
    throw Error(Errc::unavailable, fmt::format("{} cannot be written", file.string()));
  }
}

}  // namespace

std::optional<WrittenRevision> write_revision(const MigrationFolder& folder, const Schema& models,
                                              const RevisionRequest& request) {
  const Schema& before = folder.schema();
  WrittenRevision written;
  written.revision = {folder.head() + 1, name_of(request.message)};

  const SchemaDiff change =
      request.empty ? plain_diff(before, models) : diff(before, models, request.intent);
  if (change.empty() && !request.empty) return std::nullopt;
  if (!request.allow_destructive && !request.empty) refuse_losses(change);
  const SchemaDiff back =
      request.empty ? SchemaDiff{} : reverse_diff(models, before, request.intent);
  written.summary = change.summary();

  std::string title = request.message;
  std::ranges::replace(title, '\n', ' ');
  const fs::path target = folder.path() / written.revision.title();
  std::vector<std::pair<fs::path, std::string>> files;
  for (const Dialect* dialect :
       std::initializer_list<const Dialect*>{&sqlite::dialect(), &postgres::dialect()}) {
    std::string text = fmt::format("-- {} ({})\n", title, dialect->name());
    for (const auto& line : written.summary) text += "--   " + line + '\n';
    text += "\n-- up\n" + section(*dialect, change, request.empty, true);
    text += "\n-- down\n" + section(*dialect, back, request.empty, false);
    files.emplace_back(target / fmt::format("{}.sql", dialect->name()), std::move(text));
  }
  files.emplace_back(folder.path() / "schema.json", write_snapshot(models));

  std::error_code error;
  fs::create_directories(target, error);
  if (error) {
    throw Error(Errc::unavailable,
                fmt::format("The folder {} cannot be made: {}", target.string(), error.message()));
  }
  for (const auto& [file, text] : files) {
    write(file, text);
    written.files.push_back(file.string());
  }
  return written;
}

}  // namespace aegis::db
