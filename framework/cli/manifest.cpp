#include "cli/manifest.h"

#include <fmt/format.h>

#include <algorithm>

#include "aegis/core/json.h"
#include "cli/files.h"
#include "cli/git.h"

namespace aegis::cli {

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json(text, out);
  return out;
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
  if (problems.none()) return manifest;
  throw UsageError(
      fmt::format("{} cannot be read: {}", file,
                  problems.syntax.empty() ? problems.fields.front().message : problems.syntax),
      fmt::format("git log -p {} shows how it was.", file));
}

Manifest Manifest::read() {
  const auto text = read_file(file);
  if (text) return parse(*text);
  throw UsageError(fmt::format("This is no project: there is no {}", file),
                   "Run it in the folder of a project; `aegis init` makes one.");
}

std::string Manifest::text() const {
  std::string out = fmt::format("{{\n  \"aegis\": {},\n  \"name\": {},\n  \"components\": [",
                                quoted(aegis), quoted(name));
  for (const auto& component : components) {
    out += fmt::format("{}{}", out.ends_with('[') ? "" : ", ", quoted(component));
  }
  out += "],\n  \"files\": [\n";
  for (const auto& each : files) {
    out += fmt::format("    {{\"path\": {}, \"id\": \"{}\"}}{}\n", quoted(each.path), each.id,
                       &each == &files.back() ? "" : ",");
  }
  return out + "  ]\n}\n";
}

const std::string* Manifest::id_of(std::string_view path) const {
  const auto found = std::ranges::find(files, path, &GeneratedFile::path);
  return found == files.end() ? nullptr : &found->id;
}

}  // namespace aegis::cli
