#include "cli/registration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "cli/line_ends.h"
#include "cli/usage_error.h"

namespace aegis::cli {

namespace {

constexpr std::string_view include = "#include \"";

/// Where `line` belongs among the #include lines after the one of the source's own header, which
/// come in order; npos: it is there.
std::size_t place_of_include(const Registry& registry, std::string_view text,
                             std::string_view line) {
  std::size_t place = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view each = text.substr(at, end - at);
    if (each == line) return text.npos;
    if (each.starts_with(include)) {
      const bool own = each.find(fmt::format("\"{}\"", registry.header)) != each.npos;
      if (!own && each > line) return at;
      place = end;
    }
    at = end;
  }
  return place;
}

/// Where the line is on which the registry's function ends; npos: there is no such function.
std::size_t end_of_function(const Registry& registry, std::string_view text) {
  for (auto at = text.find(registry.function); at != text.npos;
       at = text.find(registry.function, at + 1)) {
    const auto begin = text.find_first_not_of(" \n", at + registry.function.size());
    if (begin == text.npos || text[begin] != '{') continue;  // it is only declared
    const auto end = text.find("\n}", begin);
    return end == text.npos ? end : end + 1;
  }
  return text.npos;
}

}  // namespace

std::string register_part(const Registry& registry, std::string_view source,
                          std::span<const std::string> headers, std::string_view statement) {
  const bool crlf = has_crlf(source);
  std::string text = crlf ? with_lf(source) : std::string(source);
  std::vector<std::string> includes;
  for (const auto& header : headers) includes.push_back(fmt::format("{}{}\"", include, header));
  const auto end = end_of_function(registry, text);
  if (end == text.npos) {
    throw UsageError(
        fmt::format("{} has no {} {{ … }} to add to", registry.file, registry.function),
        fmt::format("Write it, or add there yourself: {} and {}", fmt::join(includes, ", "),
                    statement));
  }
  text.insert(end, fmt::format("  {}\n", statement));
  for (const auto& line : includes) {
    const auto place = place_of_include(registry, text, line + "\n");
    if (place != text.npos) text.insert(place, line + "\n");
  }
  return crlf ? with_crlf(text) : text;
}

}  // namespace aegis::cli
