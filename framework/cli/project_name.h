#pragma once

#include <filesystem>
#include <string>

namespace aegis::cli {

/// The name in project(NAME …) of a project's CMakeLists.txt: its program is called so. Throws
/// UsageError.
std::string project_name(const std::filesystem::path& cmake_lists);

}  // namespace aegis::cli
