#include "db/migrations/catalogue.h"

#include <fmt/format.h>

namespace aegis::db {
namespace {

using Definitions = std::map<std::string, std::string>;

/// `what` is "shield: index " or the like.
void compare(std::string_view what, const Definitions& expected, const Definitions& actual,
             FunctionRef<bool(const std::string&)> is_known, std::vector<std::string>& lines) {
  for (const auto& [name, definition] : expected) {
    const auto at = actual.find(name);
    if (at == actual.end()) {
      lines.push_back(fmt::format("{}{} is missing", what, name));
    } else if (at->second != definition) {
      lines.push_back(fmt::format("{}{} is {}, should be {}", what, name, at->second, definition));
    }
  }
  for (const auto& [name, definition] : actual) {
    if (expected.contains(name) || is_known(name)) continue;
    lines.push_back(fmt::format("{}{} is in no migration", what, name));
  }
}

}  // namespace

std::vector<std::string> differences(const Catalogue& expected, const Catalogue& actual,
                                     FunctionRef<bool(const std::string& name)> is_known) {
  constexpr std::string_view own = "aegis_";  // the framework's own tables
  std::vector<std::string> lines;
  for (const auto& [name, table] : expected.tables) {
    const auto at = actual.tables.find(name);
    if (at == actual.tables.end()) {
      lines.push_back(fmt::format("table {} is missing", name));
      continue;
    }
    compare(name + ".", table.columns, at->second.columns, is_known, lines);
    compare(name + ": ", table.constraints, at->second.constraints, is_known, lines);
    compare(name + ": index ", table.indexes, at->second.indexes, is_known, lines);
  }
  for (const auto& [name, table] : actual.tables) {
    if (expected.tables.contains(name) || name.starts_with(own) || is_known(name)) continue;
    lines.push_back(fmt::format("table {} is in no migration", name));
  }
  return lines;
}

}  // namespace aegis::db
