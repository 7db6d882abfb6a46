#include "db/migrations/snapshot.h"

#include <fmt/format.h>

#include "aegis/core/json.h"

namespace aegis::db {
namespace {

std::string json_of(const Type& type, const void* member) {
  std::string text;
  append_json(type, member, text);
  return text;
}

/// {"name": "…", …} with the members that are not as in a new object.
template <Described T>
std::string line(const T& object) {
  static const T usual{};
  std::string text;
  for (const Field& field : describe<T>().fields) {
    const std::string value = json_of(*field.type, field.of(&object));
    if (value == json_of(*field.type, field.of(&usual))) continue;
    text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", field.name, value);
  }
  return '{' + text + '}';
}

template <class T>
std::string lines(std::string_view name, const std::vector<T>& objects) {
  if (objects.empty()) return {};
  std::string text;
  for (const T& object : objects) {
    text += (text.empty() ? "\n        " : ",\n        ") + line(object);
  }
  return fmt::format(",\n      \"{}\": [{}\n      ]", name, text);
}

}  // namespace

std::string write_snapshot(const Schema& schema) {
  std::string text;
  for (const TableSchema& table : schema.tables) {
    std::string name;
    append_json(table.name, name);
    text += fmt::format("{}\n    {{\n      \"name\": {}{}{}{}\n    }}", text.empty() ? "" : ",",
                        name, lines("columns", table.columns), lines("uniques", table.uniques),
                        lines("indexes", table.indexes));
  }
  return "{\n  \"tables\": [" + text + (text.empty() ? "" : "\n  ") + "]\n}\n";
}

Schema read_snapshot(std::string_view text, std::string_view file) {
  Schema schema;
  const JsonProblems problems = from_json(text, schema);
  if (problems.none()) return schema;
  std::string message = problems.syntax;
  for (const auto& [pointer, problem] : problems.fields) {
    message += fmt::format("{}{} {}", message.empty() ? "" : "; ", pointer, problem);
  }
  throw Error(Errc::invalid,
              fmt::format("{} cannot be read: {}. (After a merge, resolve it so that "
                          "it has both sides' changes.)",
                          file, message));
}

}  // namespace aegis::db
