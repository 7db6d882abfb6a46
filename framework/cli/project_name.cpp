#include "cli/project_name.h"

#include <fmt/format.h>

#include <regex>

#include "cli/files.h"
#include "cli/usage_error.h"

namespace aegis::cli {

std::string project_name(const std::filesystem::path& cmake_lists) {
  static const std::regex project(R"((^|\n)[ \t]*project\s*\(\s*"?([\w.+-]+))", std::regex::icase);
  const std::string text = read_file(cmake_lists).value_or("");
  if (std::smatch found; std::regex_search(text, found, project)) return found[2];
  throw UsageError(fmt::format("{} has no project(NAME …)", cmake_lists.string()),
                   "The project's program is called by that name.");
}

}  // namespace aegis::cli
