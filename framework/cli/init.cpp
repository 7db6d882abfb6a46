#include "cli/init.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "aegis/core/json.h"
#include "cli/files.h"
#include "cli/manifest.h"
#include "cli/process.h"
#include "cli/template.h"
#include "cli/terminal.h"

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

/// A first commit where git is there, knows its user, and has no repository around the project.
void make_repository(const fs::path& folder, const std::string& name) {
  const auto git = [](const fs::path& where, std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-C", where});
    return run_quietly(std::move(words)) == 0;
  };
  if (git(folder.parent_path(), {"rev-parse", "--is-inside-work-tree"})) return;
  if (!git(folder, {"init", "--initial-branch=main"})) return;
  if (git(folder, {"add", "--all"})) git(folder, {"commit", "-m", "aegis init " + name});
}

void write(const std::vector<ProjectFile>& files, const fs::path& folder) {
  std::vector<Edit> edits;
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

std::string as_json(const InitOptions& options, const Choice& choice, const fs::path& target,
                    const std::vector<ProjectFile>& files) {
  std::string out = R"({"name":)";
  append_json(options.name, out);
  out += R"(,"path":)";
  append_json(target.string(), out);
  out += R"(,"components":)";
  append_json(choice.words(), out);
  out += R"(,"files":[)";
  for (const auto& file : files) {
    if (!out.ends_with('[')) out += ',';
    append_json(file.path, out);
  }
  return out + "]}\n";
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
  if (!options.dry_run) {
    write(files, target);
    if (!exists && !options.no_git) make_repository(target, options.name);
  }

  if (options.json) {
    fmt::print("{}", as_json(options, choice, target, files));
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
    fmt::print("Without questions: aegis init {} --components {}\n", options.name, choice.words());
  }
  fmt::print("\n{}\n  cd {}\n  cp .env.example .env\n  make serve\n", bold("Next"),
             options.output_dir == "." ? options.name : target.string());
  return 0;
}

}  // namespace aegis::cli
