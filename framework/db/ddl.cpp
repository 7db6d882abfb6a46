// CREATE TABLE and CREATE INDEX: the statements a person would write for a model.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aegis/core/error.h"
#include "db/dialect.h"

namespace aegis::db {
namespace {

std::string quote(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + '\'';
}

/// "BETWEEN low AND high", ">= low" or "<= high".
template <class Number>
std::string range(const std::optional<Number>& low, const std::optional<Number>& high) {
  if (low && high) return fmt::format("BETWEEN {} AND {}", *low, *high);
  return low ? fmt::format(">= {}", *low) : fmt::format("<= {}", *high);
}

/// What a field's rules ask of its value, as a condition; empty when they ask nothing.
std::string rule_check(const Field& field) {
  const Rules& rules = field.rules;
  const std::string name = identifier(field.name);
  std::vector<std::string> checks;
  if (rules.ge || rules.le) checks.push_back(name + ' ' + range(rules.ge, rules.le));
  if (rules.ge_real || rules.le_real) {
    checks.push_back(name + ' ' + range(rules.ge_real, rules.le_real));
  }
  if (rules.min_length || rules.max_length) {
    checks.push_back("length(" + name + ") " + range(rules.min_length, rules.max_length));
  }
  if (rules.choice_count > 0) {
    std::string choices;
    for (const std::string_view choice : rules.one_of()) {
      choices += (choices.empty() ? "" : ", ") + quote(choice);
    }
    checks.push_back(name + " IN (" + choices + ")");
  }
  return fmt::format("{}", fmt::join(checks, " AND "));
}

/// Whether C++ gives the value to whoever says nothing: it is then no default worth a DEFAULT.
bool is_value_initialised(const Cell& cell) {
  return std::visit(
      [](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return true;
        } else if constexpr (requires { value.empty(); }) {
          return value.empty();
        } else {
          return value == T{};
        }
      },
      cell);
}

/// SQL has no text for these.
bool has_literal(const Cell& cell) {
  if (const auto* number = std::get_if<double>(&cell)) return std::isfinite(*number);
  if (const auto* text = std::get_if<std::string_view>(&cell)) {
    return text->find('\0') == std::string_view::npos;
  }
  return true;
}

std::string_view on_delete(OnDelete action) {
  switch (action) {
    case OnDelete::restrict:
      return "RESTRICT";
    case OnDelete::cascade:
      return "CASCADE";
    case OnDelete::set_null:
      return "SET NULL";
  }
  return {};
}

/// The groups that `group` names among the fields, in order of their first field: the name and the
/// columns.
std::vector<std::pair<std::string_view, std::string>> groups(const Table& table,
                                                             std::string_view Rules::* group) {
  std::vector<std::pair<std::string_view, std::string>> found;
  for (const Field& field : table.object->fields) {
    const std::string_view name = field.rules.*group;
    if (name.empty()) continue;
    const auto at = std::ranges::find(found, name, [](const auto& entry) { return entry.first; });
    if (at == found.end()) {
      found.emplace_back(name, identifier(field.name));
    } else {
      at->second += ", " + identifier(field.name);
    }
  }
  return found;
}

/// Whether some index or constraint begins with the column, so that it needs none of its own.
bool leads_an_index(const Table& table, const Field& field) {
  if (field.rules.primary_key || field.rules.unique || field.rules.indexed) return true;
  for (const auto group : {&Rules::unique_group, &Rules::index_group}) {
    const std::string_view name = field.rules.*group;
    if (name.empty()) continue;
    const auto leader = std::ranges::find_if(
        table.object->fields, [&](const Field& other) { return other.rules.*group == name; });
    if (&*leader == &field) return true;
  }
  return false;
}

}  // namespace

std::string Dialect::literal(const Cell& value) const {
  return std::visit(
      [](const auto& content) -> std::string {
        using T = std::decay_t<decltype(content)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return "NULL";
        } else if constexpr (std::is_same_v<T, bool>) {
          return content ? "TRUE" : "FALSE";
        } else if constexpr (std::is_arithmetic_v<T>) {
          return fmt::format("{}", content);
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          return quote(content);
        } else if constexpr (std::is_same_v<T, Timestamp>) {
          return quote(to_string(content));
        } else {
          std::string hex = "X'";
          for (const std::byte byte : content) hex += fmt::format("{:02x}", byte);
          return hex + '\'';
        }
      },
      value);
}

std::string Dialect::column_definition(const Table& table, const Field& field) const {
  const Rules& rules = field.rules;
  std::string text = identifier(field.name) + ' ';
  if (rules.primary_key && field.type->nullable && field.type->kind == Kind::integer) {
    text += generated_key();
  } else {
    text += column_type(field.type->kind);
    if (!is_nullable(field)) text += " NOT NULL";
    if (rules.primary_key) text += " PRIMARY KEY";
  }
  if (rules.unique && !rules.primary_key) text += " UNIQUE";

  const Cell initial = field.type->to_cell(field.of(table.object->defaults()));
  if (!rules.primary_key && !is_value_initialised(initial) && has_literal(initial)) {
    text += " DEFAULT " + literal(initial);
  }
  for (const std::string& check : {type_check(field), rule_check(field)}) {
    if (!check.empty()) text += " CHECK (" + check + ")";
  }
  if (!rules.references_table.empty()) {
    text += fmt::format(" REFERENCES {} ({}) ON DELETE {}", identifier(rules.references_table),
                        identifier(rules.references_column), on_delete(rules.on_delete));
  }
  return text;
}

std::vector<std::string> Dialect::create(const Table& table, bool if_not_exists) const {
  const std::string_view guard = if_not_exists ? "IF NOT EXISTS " : "";
  const std::string name = identifier(table.name);

  std::vector<std::string> lines;
  for (const Field& field : table.object->fields) lines.push_back(column_definition(table, field));
  for (const auto& [group, columns] : groups(table, &Rules::unique_group)) {
    lines.push_back("UNIQUE (" + columns + ")");
  }
  std::vector<std::string> statements;
  statements.push_back(fmt::format("CREATE TABLE {}{} (\n  {}\n){}", guard, name,
                                   fmt::join(lines, ",\n  "), table_options()));

  const auto index = [&](std::string_view part, std::string_view columns) {
    statements.push_back(fmt::format("CREATE INDEX {}{} ON {} ({})", guard,
                                     identifier(index_name(table, part)), name, columns));
  };
  for (const Field& field : table.object->fields) {
    const bool unique = field.rules.unique || field.rules.primary_key;
    const bool reference = !field.rules.references_table.empty();
    if ((field.rules.indexed && !unique) || (reference && !leads_an_index(table, field))) {
      index(field.name, identifier(field.name));
    }
  }
  for (const auto& [group, columns] : groups(table, &Rules::index_group)) index(group, columns);
  return statements;
}

std::string index_name(const Table& table, std::string_view part) {
  return fmt::format("{}_{}_idx", table.name, part);
}

}  // namespace aegis::db
