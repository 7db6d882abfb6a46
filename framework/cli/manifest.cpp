#include "cli/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "aegis/core/json.h"
#include "cli/files.h"
#include "cli/git.h"
#include "cli/usage_error.h"

namespace aegis::cli {

namespace {

/// Whether it is that of a file in the project, and not git's own.
bool is_inside(const std::filesystem::path& path) {
  const bool normal = path.native() == path.lexically_normal().native();
  if (!normal || !path.has_filename() || path.is_absolute()) return false;
  return std::ranges::none_of(
      path, [](const auto& part) { return part == "." || part == ".." || part == ".git"; });
}

bool is_id(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

[[noreturn]] void refuse(std::string_view why) {
  throw UsageError(fmt::format("{} cannot be read: {}", Manifest::file, why),
                   fmt::format("git log -p {} shows how it was.", Manifest::file));
}

}  // namespace

Manifest Manifest::of(const Choice& choice, std::string_view name,
                      std::span<const ProjectFile> files) {
  Manifest manifest{.aegis = AEGIS_VERSION, .name = std::string(name), .components = choice.list()};
  for (const auto& each : files) {
    manifest.files.push_back({.path = each.path, .id = git::blob_id(each.content)});
  }
  std::ranges::sort(manifest.files, {}, &GeneratedFile::path);
  return manifest;
}

Manifest Manifest::parse(std::string_view text) {
  Manifest manifest;
  const JsonProblems problems = from_json(text, manifest);
  if (!problems.none()) {
    refuse(problems.syntax.empty() ? problems.fields.front().message : problems.syntax);
  }
  check_project_name(manifest.name);
  for (const auto& [path, id] : manifest.files) {
    if (!is_inside(path)) refuse(fmt::format("{} is no file of a project", to_json(path)));
    if (!is_id(id)) refuse(fmt::format("{} is no id, that of {}", to_json(id), path));
  }
  return manifest;
}

Manifest Manifest::read() {
  const auto text = read_file(file);
  if (text) return parse(*text);
  throw no_project(file);
}

std::string Manifest::text() const {
  std::string out = fmt::format("{{\n  \"aegis\": {},\n  \"name\": {},\n  \"components\": [",
                                to_json(aegis), to_json(name));
  for (const auto& component : components) {
    out += fmt::format("{}{}", out.ends_with('[') ? "" : ", ", to_json(component));
  }
  out += "],\n  \"files\": [\n";
  for (const auto& each : files) {
    out += fmt::format("    {{\"path\": {}, \"id\": \"{}\"}}{}\n", to_json(each.path), each.id,
                       &each == &files.back() ? "" : ",");
  }
  return out + "  ]\n}\n";
}

const std::string* Manifest::id_of(std::string_view path) const {
  const auto found = std::ranges::find(files, path, &GeneratedFile::path);
  return found == files.end() ? nullptr : &found->id;
}

}  // namespace aegis::cli
