#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/component.h"

namespace aegis::cli {

struct ProjectFile {
  std::string path;  ///< relative to the project's folder
  std::string content;
  bool executable = false;
};

/// All files of a new project, in order of their paths.
std::vector<ProjectFile> project_files(const Choice& choice, std::string_view name);

/// Throws UsageError unless a project can be called that: folder, program and CMake target.
void check_project_name(std::string_view name);

}  // namespace aegis::cli
