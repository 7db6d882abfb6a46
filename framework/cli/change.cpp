#include "cli/change.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "aegis/core/json.h"
#include "cli/component.h"
#include "cli/files.h"
#include "cli/git.h"
#include "cli/line_ends.h"
#include "cli/manifest.h"
#include "cli/merge.h"
#include "cli/migrations.h"
#include "cli/template.h"
#include "cli/terminal.h"
#include "cli/usage_error.h"
#include "cli/version.h"

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* migrations_room = "migrations";

void refuse_newer(const Manifest& manifest) {
  if (version_of(manifest.aegis) <= version_of(AEGIS_VERSION)) return;
  throw UsageError(fmt::format("This project is made with Aegis {}, which is newer than {}",
                               manifest.aegis, AEGIS_VERSION),
                   fmt::format("Install Aegis {}.", manifest.aegis));
}

/// The project in the current folder, what was generated for it, and what it is to be.
class Project {
 public:
  Project() : manifest_(Manifest::read()), choice_(Choice::of(manifest_.components)) {
    refuse_newer(manifest_);
    for (auto& file : project_files(choice_, manifest_.name)) {
      known_.emplace(git::blob_id(file.content), std::move(file.content));
    }
  }

  const Manifest& manifest() const { return manifest_; }
  const Choice& choice() const { return choice_; }

  /// What is to be done for `choice`, .aegis.json last.
  std::vector<Change> changes_for(const Choice& choice) const {
    auto theirs = project_files(choice, manifest_.name);
    const auto generated = [this](const std::string& id) { return generated_file(id); };
    const auto followed = fit_migrations(
        theirs, manifest_,
        {.folders = migration_folders(), .read = read_lines, .generated = generated});
    auto changes = merge_files({.base = manifest_,
                                .theirs = theirs,
                                .followed = followed,
                                .mine = cli::read_file,
                                .generated = generated});
    const auto before = read_file(Manifest::file);
    const std::string after = Manifest::of(choice, manifest_.name, theirs).text();
    if (before != after) {
      changes.push_back({.path = Manifest::file, .before = before, .after = after});
    }
    return changes;
  }

  /// What the user has made in `folder`.
  std::vector<std::string> own_files_in(std::string_view folder) const {
    std::vector<std::string> files;
    if (!fs::is_directory(folder)) return files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      std::string path = entry.path().string();
      if (entry.is_regular_file() && !manifest_.id_of(path)) files.push_back(std::move(path));
    }
    std::ranges::sort(files);
    return files;
  }

 private:
  std::optional<std::string> generated_file(const std::string& id) const {
    const auto found = known_.find(id);
    if (found != known_.end()) return found->second;
    return git::read_blob(id);
  }

  static std::optional<std::string> read_lines(const std::string& path) {
    auto text = read_file(path);
    if (text) text = with_lf(*text);
    return text;
  }

  static std::vector<std::string> migration_folders() {
    std::vector<std::string> folders;
    if (!fs::is_directory(migrations_room)) return folders;
    for (const auto& entry : fs::directory_iterator(migrations_room)) {
      if (entry.is_directory()) folders.push_back(entry.path().filename().string());
    }
    std::ranges::sort(folders);
    return folders;
  }

  Manifest manifest_;
  Choice choice_;
  std::map<std::string, std::string> known_{};  // by id
};

bool concerns_migrations(const Change& change, Change::What what) {
  return change.what == what && change.path.starts_with("migrations/0");
}

struct ChangedFile {
  std::string path{}, change{}, why{};

  AEGIS_FIELDS(ChangedFile, (path), (change), (why))
};

/// For programs.
struct ChangeReport {
  std::string components{};
  bool written = false;
  std::vector<ChangedFile> files{};

  AEGIS_FIELDS(ChangeReport, (components), (written), (files))
};

ChangeReport report(const Choice& choice, const std::vector<Change>& changes, bool written) {
  ChangeReport report{.components = choice.words(), .written = written};
  for (const auto& change : changes) {
    report.files.push_back({change.path, std::string(to_text(change.what)), change.why});
  }
  return report;
}

void show(const std::vector<Change>& changes) {
  for (const auto& change : changes) {
    fmt::print("  {:<8}  {}{}{}\n", to_text(change.what), change.path,
               change.why.empty() ? "" : ": ", change.why);
  }
  for (const auto& change : changes) {
    const bool for_programs = change.path.ends_with(".json");  // .aegis.json, schema.json
    if (!change.before || !change.after || for_programs) continue;
    const std::string diff = git::diff(change.path, *change.before, *change.after, has_colours());
    if (!diff.empty()) fmt::print("\n{}", diff);
  }
}

void show_next(const std::vector<Change>& changes, std::string_view command) {
  const auto any = [&](auto is) { return std::ranges::any_of(changes, is); };
  const bool conflicts =
      any([](const Change& change) { return change.what == Change::What::conflict; });
  fmt::print("\n{}\n", bold("Next"));
  if (conflicts) fmt::print("  git diff --check                 # where the conflicts are\n");
  if (fs::exists(".env") && any([](const Change& c) { return c.path == ".env.example"; })) {
    fmt::print("  diff .env .env.example           # the settings have changed\n");
  }
  fmt::print("  make test\n");
  if (any([](const Change& c) { return concerns_migrations(c, Change::What::added); })) {
    fmt::print("  make migrate\n");
  }
  fmt::print("  git add --all && git commit -m \"{}\"\n", command);
  if (any([](const Change& c) { return concerns_migrations(c, Change::What::removed); })) {
    fmt::print(
        "\nDatabases that have the migrations which are gone are newer than the project now.\n"
        "`db downgrade` of the program as it was before takes them back.\n");
  }
}

/// Brings the project to `choice`: says what that means, asks, does it.
int change(const Project& project, const Choice& choice, const std::string& command,
           const ChangeOptions& options) {
  if (!options.force && !options.dry_run) git::require_clean_tree();
  const auto changes = project.changes_for(choice);
  const bool conflicts =
      std::ranges::any_of(changes, [](auto& each) { return each.what == Change::What::conflict; });
  if (!options.json) {
    fmt::print("{}: {}\n", bold(project.manifest().name), choice.text());
    for (const auto& added : choice.added()) fmt::print("  with {}\n", added);
    if (changes.empty()) {
      fmt::print("It is up to date with Aegis {}.\n", AEGIS_VERSION);
      return 0;
    }
    show(changes);
    if (options.dry_run) fmt::print("\nNothing is written: this was a dry run.\n");
  }
  const bool asks = !options.yes && !options.json && !options.dry_run && is_interactive();
  if (asks && !confirm("\nGo on?", true)) {
    fmt::print("Nothing is changed.\n");
    return 1;
  }
  std::vector<Edit> edits;
  for (const auto& each : changes) {
    if (each.what == Change::What::kept) continue;
    edits.push_back({each.path, each.after, each.executable});
  }
  if (!options.dry_run) apply(edits);
  if (options.json) {
    const bool written = !options.dry_run && !edits.empty();
    fmt::print("{}\n", to_json(report(choice, changes, written)));
  } else if (!options.dry_run) {
    show_next(changes, command);
  }
  return conflicts ? 1 : 0;
}

/// add and remove change one thing at a time.
void require_this_version(const Manifest& manifest) {
  if (version_of(manifest.aegis) == version_of(AEGIS_VERSION)) return;
  throw UsageError(fmt::format("This project is made with Aegis {}, and this is {}", manifest.aegis,
                               AEGIS_VERSION),
                   "`aegis update` first.");
}

/// Parts of the user's would not work without the component that is their ground.
void refuse_used(const Project& project, const Choice& choice) {
  struct Room {
    std::string_view component, folder;
  };
  constexpr std::array<Room, 4> rooms{{{"database", "app/models"},
                                       {"database", "migrations"},
                                       {"worker", "app/worker"},
                                       {"scheduler", "app/scheduler"}}};
  for (const auto& room : rooms) {
    if (!project.choice().has(room.component) || choice.has(room.component)) continue;
    const auto own = project.own_files_in(room.folder);
    if (own.empty()) continue;
    throw UsageError(fmt::format("{} is in use: {}", room.component, fmt::join(own, ", ")),
                     "Remove what uses it first, or --force to go on.");
  }
}

}  // namespace

int add(const ChangeOptions& options) {
  const Project project;
  const Choice choice = project.choice().with(options.components);
  if (choice == project.choice()) {
    throw UsageError(
        fmt::format("The project has {} already", fmt::join(options.components, " and ")),
        fmt::format("It has: {}. `aegis components` lists what there is.", choice.words()));
  }
  require_this_version(project.manifest());
  return change(project, choice, fmt::format("aegis add {}", fmt::join(options.components, " ")),
                options);
}

int remove(const ChangeOptions& options) {
  const Project project;
  const Choice choice = project.choice().without(options.components);
  require_this_version(project.manifest());
  if (!options.force) refuse_used(project, choice);
  return change(project, choice, fmt::format("aegis remove {}", fmt::join(options.components, " ")),
                options);
}

int update(const ChangeOptions& options) {
  const Project project;
  return change(project, project.choice(), fmt::format("aegis update to {}", AEGIS_VERSION),
                options);
}

}  // namespace aegis::cli
