#include "cli/field.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/naming.h"
#include "cli/usage_error.h"
#include "core/describe/suggest.h"

namespace aegis::cli {

namespace {

struct Type {
  std::string_view name, in_cpp, example;
};

constexpr Type types[] = {
    {"text", "std::string", R"("text")"},
    {"integer", "std::int64_t", "7"},
    {"real", "double", "1.5"},
    {"boolean", "bool", "true"},
    {"timestamp", "aegis::Timestamp", R"("2026-01-02T03:04:05Z")"},
};

constexpr std::string_view words_behind[] = {"optional", "unique", "indexed"};

std::vector<std::string_view> split(std::string_view word) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto colon = word.find(':');
    parts.push_back(word.substr(0, colon));
    if (colon == word.npos) return parts;
    word.remove_prefix(colon + 1);
  }
}

[[noreturn]] void refuse(std::string_view word, std::string_view part,
                         std::span<const std::string_view> known) {
  throw UsageError(
      fmt::format("{}: there is no \"{}\"{}", word, part, detail::did_you_mean(part, known)),
      fmt::format("A field is name:type, of {}.", fmt::join(known, ", ")));
}

}  // namespace

std::vector<std::string_view> field_types() {
  std::vector<std::string_view> names;
  for (const auto& type : types) names.push_back(type.name);
  return names;
}

std::vector<std::string_view> field_words() {
  return {std::begin(words_behind), std::end(words_behind)};
}

std::vector<Field> fields_of(std::span<const std::string> words,
                             std::span<const std::string_view> taken) {
  std::vector<Field> fields;
  for (const std::string& word : words) {
    const auto parts = split(word);
    const std::string name = Name(parts[0]).snake;
    const std::string_view type_name = parts.size() > 1 ? parts[1] : "";
    const auto type = std::ranges::find(types, type_name, &Type::name);
    if (type == std::end(types)) refuse(word, type_name, field_types());
    if (std::ranges::find(taken, name) != taken.end() ||
        std::ranges::find(fields, name, &Field::name) != fields.end()) {
      throw UsageError(
          fmt::format("{}: there is a {} already", word, name),
          fmt::format("Call each field something else than {}.", fmt::join(taken, ", ")));
    }
    Field field{.name = name, .type = type->in_cpp, .example = type->example};
    for (std::size_t i = 2; i < parts.size(); ++i) {
      if (std::ranges::find(words_behind, parts[i]) == std::end(words_behind)) {
        refuse(word, parts[i], words_behind);
      }
      if (parts[i] == "optional") {
        field.optional = true;
      } else {
        field.attributes += fmt::format(", {}", parts[i]);
      }
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

std::string members_of(std::span<const Field> fields) {
  std::string text;
  for (const auto& field : fields) {
    text += field.optional ? fmt::format("  std::optional<{}> {}{{}};\n", field.type, field.name)
                           : fmt::format("  {} {}{{}};\n", field.type, field.name);
  }
  return text;
}

std::string wrapped(std::string_view head, std::span<const std::string> parts) {
  constexpr std::size_t columns = 100;
  const std::size_t indent = head.find('(') + 1;
  std::string text(head);
  std::size_t column = text.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string part = parts[i] + (i + 1 < parts.size() ? "," : ")");
    if (column + 1 + part.size() > columns) {
      text += "\n" + std::string(indent, ' ') + part;
      column = indent + part.size();
    } else {
      const bool first = text.ends_with('(');
      text += (first ? "" : " ") + part;
      column += part.size() + (first ? 0 : 1);
    }
  }
  return text;
}

}  // namespace aegis::cli
