#include "cli/registration.h"

#include <fmt/format.h>

#include "cli/component.h"

namespace aegis::cli {

namespace {

constexpr std::string_view include = "#include \"";

/// Where `line` belongs among the #include lines after the one of application.h, which come in
/// order.
std::size_t place_of_include(std::string_view text, std::string_view line) {
  std::size_t place = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view each = text.substr(at, end - at);
    if (each.starts_with(include)) {
      const bool first = each.find("\"application.h\"") != each.npos;
      if (!first && each > line) return at;
      place = end;
    }
    at = end;
  }
  return place;
}

}  // namespace

std::string register_part(std::string_view application, std::span<const std::string> headers,
                          std::string_view statement) {
  std::string text(application);
  const auto configure = text.find("configure(aegis::App& app) {\n");
  const auto end = configure == text.npos ? text.npos : text.find("\n}\n", configure);
  if (end == text.npos) {
    throw UsageError("app/application.cpp has no configure(aegis::App& app) { … } to add to",
                     fmt::format("Write it, or add there yourself: {}", statement));
  }
  text.insert(end + 1, fmt::format("  {}\n", statement));
  for (const auto& header : headers) {
    const std::string line = fmt::format("{}{}\"\n", include, header);
    text.insert(place_of_include(text, line), line);
  }
  return text;
}

}  // namespace aegis::cli
