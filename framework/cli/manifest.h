#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/core/fields.h"
#include "cli/component.h"
#include "cli/template.h"

namespace aegis::cli {

struct GeneratedFile {
  std::string path{};
  std::string id{};  ///< of its content as it was generated: git::blob_id()

  AEGIS_FIELDS(GeneratedFile, (path, required), (id, required))
};

/// What a project was made from, which it keeps in .aegis.json: the base of three-way merges.
struct Manifest {
  static constexpr const char* file = ".aegis.json";

  std::string aegis{};  ///< the version
  std::string name{};
  std::vector<std::string> components{};
  std::vector<GeneratedFile> files{};

  AEGIS_FIELDS(Manifest, (aegis, required), (name, required), (components, required),
               (files, required))

  static Manifest of(const Choice& choice, std::string_view name,
                     std::span<const ProjectFile> files);
  /// Throws UsageError for a text that is none, or that names files outside of the project: who
  /// has written it is not known.
  static Manifest parse(std::string_view text);
  /// That of the project in the current folder. Throws UsageError where there is none.
  static Manifest read();

  /// With a line for each file, so that it merges well.
  std::string text() const;
  /// Null for a file that was not generated.
  const std::string* id_of(std::string_view path) const;
};

}  // namespace aegis::cli
