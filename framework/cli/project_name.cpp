#include "cli/project_name.h"

#include <fmt/format.h>

#include <fstream>

#include "cli/component.h"

namespace aegis::cli {

std::string project_name(const std::filesystem::path& cmake_lists) {
  std::ifstream file(cmake_lists);
  constexpr std::string_view begin = "project(";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(begin)) {
      return line.substr(begin.size(), line.find_first_of(" )", begin.size()) - begin.size());
    }
  }
  throw UsageError(fmt::format("{} has no project(NAME …)", cmake_lists.string()),
                   "The project's program is called by that name.");
}

}  // namespace aegis::cli
