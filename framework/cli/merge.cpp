#include "cli/merge.h"

#include <algorithm>
#include <array>
#include <map>

#include "cli/git.h"
#include "cli/line_ends.h"
#include "cli/migrations.h"

namespace aegis::cli {

namespace {

using What = Change::What;

/// Lists, to which every part adds its line.
bool is_list(std::string_view path) {
  constexpr std::array<std::string_view, 4> lists{
      "app/application.cpp", "app/scheduler/schedules.cpp", ".env.example", ".gitignore"};
  return std::ranges::find(lists, path) != lists.end();
}

/// The path in the versions that there are.
struct Sides {
  const std::string* base_id = nullptr;
  const ProjectFile* theirs = nullptr;
  std::optional<std::string> mine{};
};

Change merged(const std::string& path, const Sides& sides, const std::string& mine,
              const Versions& versions) {
  Change change{.path = path, .before = mine};
  std::string base;
  if (sides.base_id != nullptr) {
    auto known = versions.generated(*sides.base_id);
    if (known) {
      base = std::move(*known);
    } else {
      change.why = "what it was made from is not in git's history";
    }
  }
  if (change.why.empty() && path == "migrations/schema.json") {
    change.after = merge_schemas(base, mine, sides.theirs->content);
    if (change.after) return change;
  }
  auto merge = git::merge(base, mine, sides.theirs->content, change.why.empty() && is_list(path));
  change.after = std::move(merge.text);
  if (merge.conflict) {
    change.what = What::conflict;
    if (change.why.empty()) change.why = "both sides have changed the same lines";
  }
  return change;
}

/// Nothing: it stays as it is.
std::optional<Change> change_of(const std::string& path, const Sides& sides,
                                const Versions& versions) {
  const auto& [base_id, theirs, mine] = sides;
  if (theirs && base_id && git::blob_id(theirs->content) == *base_id) return std::nullopt;
  if (theirs && mine && *mine == theirs->content) return std::nullopt;
  Change change{.path = path, .before = mine, .after = mine};
  if (theirs) change.executable = theirs->executable;
  if (!mine) {
    if (!theirs) return std::nullopt;
    change.what = base_id ? What::kept : What::added;
    if (base_id) {
      change.why = "you have removed it";
    } else {
      change.after = theirs->content;
    }
    return change;
  }
  if (versions.followed.contains(path)) {
    change.what = What::kept;
    change.why = "other migrations follow it";
    return change;
  }
  const bool untouched = base_id && git::blob_id(*mine) == *base_id;
  if (untouched) {
    change.what = theirs ? What::changed : What::removed;
    change.after = theirs ? std::optional(theirs->content) : std::nullopt;
    return change;
  }
  if (!theirs) {
    change.what = What::kept;
    change.why = "you have changed it";
    return change;
  }
  change = merged(path, sides, *mine, versions);
  if (change.after == change.before) return std::nullopt;  // it has all of it
  return change;
}

}  // namespace

std::string_view to_text(What what) {
  constexpr std::array<std::string_view, 5> names{"added", "changed", "removed", "kept",
                                                  "conflict"};
  return names.at(static_cast<std::size_t>(what));
}

std::vector<Change> merge_files(const Versions& versions) {
  std::map<std::string, Sides> paths;
  for (const auto& file : versions.base.files) paths[file.path].base_id = &file.id;
  for (const auto& file : versions.theirs) paths[file.path].theirs = &file;
  std::vector<Change> changes;
  for (auto& [path, sides] : paths) {
    sides.mine = versions.mine(path);
    const bool crlf = sides.mine && has_crlf(*sides.mine);  // what is generated has LF
    if (crlf) sides.mine = with_lf(*sides.mine);
    auto change = change_of(path, sides, versions);
    if (!change) continue;
    for (auto* text : {&change->before, &change->after}) {
      if (crlf && *text) *text = with_crlf(**text);
    }
    changes.push_back(std::move(*change));
  }
  return changes;
}

}  // namespace aegis::cli
