#include "cli/list_components.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "cli/component.h"
#include "cli/terminal.h"

namespace aegis::cli {

int list_components(bool json) {
  if (json) {
    std::string out;
    for (const auto& component : components()) {
      out += fmt::format(R"({}{{"name":"{}","summary":"{}","needs":{},"engines":{}}})",
                         out.empty() ? "" : ",", component.name, component.summary, component.needs,
                         component.engines);
    }
    fmt::print("[{}]\n", out);
    return 0;
  }
  fmt::print("The API is always there. --components takes, separated by commas:\n\n");
  for (const auto& component : components()) {
    fmt::print("  {}  {}\n", bold(fmt::format("{:<10}", component.name)), component.summary);
    for (const auto engine : component.engines) {
      fmt::print("  {:<10}  {}={} or {}[{}]\n", "", component.name, engine, component.name, engine);
    }
    if (!component.needs.empty()) {
      fmt::print("  {:<10}  with {}\n", "", fmt::join(component.needs, ", "));
    }
  }
  return 0;
}

}  // namespace aegis::cli
