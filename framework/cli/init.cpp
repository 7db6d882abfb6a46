#include "cli/init.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "aegis/core/json.h"
#include "cli/files.h"
#include "cli/git.h"
#include "cli/manifest.h"
#include "cli/template.h"
#include "cli/terminal.h"
#include "cli/usage_error.h"

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> ask_for_components() {
  std::vector<std::string> words;
  const std::string engine = ask("Database: sqlite, postgresql or none?", "sqlite");
  if (engine == "none" || engine == "no" || engine == "n") return words;
  words.push_back("database=" + engine);
  for (const Component& component : components()) {
    if (component.name == "database") continue;
    if (confirm(fmt::format("{} ({})?", component.name, component.summary), false)) {
      words.emplace_back(component.name);
    }
  }
  return words;
}

void write(const std::vector<ProjectFile>& files, const fs::path& folder) {
  std::vector<Edit> edits;
  edits.reserve(files.size());
  for (const auto& [path, content, executable] : files) {
    edits.push_back({path, content, executable});
  }
  const bool is_new = fs::create_directories(folder);
  try {
    cli::apply(edits, folder);
  } catch (...) {
    std::error_code ignored;
    if (is_new) fs::remove(folder, ignored);
    throw;
  }
}

ProjectFile manifest_file(const Choice& choice, const std::string& name,
                          const std::vector<ProjectFile>& files) {
  return {.path = Manifest::file, .content = Manifest::of(choice, name, files).text()};
}

/// As a word that a shell reads.
std::string in_shell(std::string_view text) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("/._-+").find(c) != std::string_view::npos;
  };
  if (std::ranges::all_of(text, plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

/// For programs.
struct Report {
  std::string name{}, path{}, components{};
  bool committed = false;
  std::vector<std::string> files{};

  AEGIS_FIELDS(Report, (name), (path), (components), (committed), (files))
};

/// The command that does the same.
std::string without_questions(const InitOptions& options, const Choice& choice) {
  std::string out = fmt::format("aegis init {} --components {}", options.name, choice.words());
  if (options.output_dir != ".") out += " --output-dir " + in_shell(options.output_dir);
  if (options.no_git) out += " --no-git";
  if (options.force) out += " --force";
  return out;
}

}  // namespace

int init(InitOptions options) {
  check_project_name(options.name);
  const fs::path target =
      fs::absolute(fs::path(options.output_dir) / options.name).lexically_normal();
  const bool exists = fs::exists(fs::symlink_status(target));
  if (exists && !(options.force && fs::is_directory(target))) {
    throw UsageError(fmt::format("{} exists already", target.string()),
                     fs::is_directory(target)
                         ? "Choose another name, or --force to write over its files."
                         : "Choose another name or another --output-dir.");
  }
  const bool asked = !options.components_given && !options.yes && !options.json && is_interactive();
  if (asked) options.components = ask_for_components();
  const Choice choice = Choice::of(options.components);
  auto files = project_files(choice, options.name);
  files.insert(files.begin(), manifest_file(choice, options.name, files));
  const std::string message = "aegis init " + options.name;
  git::FirstCommit commit;
  if (!options.dry_run) {
    write(files, target);
    if (!exists && !options.no_git) commit = git::make_repository(target, message);
  }

  if (options.json) {
    Report report{.name = options.name,
                  .path = target.string(),
                  .components = choice.words(),
                  .committed = commit.made};
    for (const auto& file : files) report.files.push_back(file.path);
    fmt::print("{}\n", to_json(report));
    return 0;
  }
  fmt::print("{}: {}\n", bold(options.name), choice.text());
  for (const auto& added : choice.added()) fmt::print("  with {}\n", added);
  if (options.dry_run) {
    for (const auto& file : files) fmt::print("  {}\n", file.path);
    fmt::print("{} files would be written to {}\n", files.size(), target.string());
    return 0;
  }
  fmt::print("{} files in {}\n", files.size(), target.string());
  if (asked) {
    fmt::print("Without questions: {}\n", without_questions(options, choice));
  }
  if (!commit.complaint.empty()) fmt::print("git has not committed it: {}\n", commit.complaint);
  fmt::print("\n{}\n  cd {}\n", bold("Next"),
             options.output_dir == "." ? options.name : target.string());
  if (!commit.knows_user) {
    fmt::print(
        "  git config --global user.name \"Your Name\"\n"
        "  git config --global user.email you@example.com\n");
  }
  if (!commit.complaint.empty()) fmt::print("  git add --all && git commit -m \"{}\"\n", message);
  fmt::print("  cp .env.example .env\n  make serve\n");
  return 0;
}

}  // namespace aegis::cli
