#include "cli/registration.h"

#include <fmt/format.h>

#include "cli/component.h"

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

}  // namespace

std::string register_part(const Registry& registry, std::string_view source,
                          std::span<const std::string> headers, std::string_view statement) {
  std::string text(source);
  const auto begin = text.find(fmt::format("{}\n", registry.function));
  const auto end = begin == text.npos ? text.npos : text.find("\n}\n", begin);
  if (end == text.npos) {
    throw UsageError(fmt::format("{} has no {} … }} to add to", registry.file, registry.function),
                     fmt::format("Write it, or add there yourself: {}", statement));
  }
  text.insert(end + 1, fmt::format("  {}\n", statement));
  for (const auto& header : headers) {
    const std::string line = fmt::format("{}{}\"\n", include, header);
    const auto place = place_of_include(registry, text, line);
    if (place != text.npos) text.insert(place, line);
  }
  return text;
}

}  // namespace aegis::cli
