// CREATE TABLE and CREATE INDEX: the statements a person would write for a model.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aegis/core/error.h"
#include "aegis/core/json.h"
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

std::string_view on_delete(std::string_view action) {
  return action == "cascade" ? "CASCADE" : action == "set_null" ? "SET NULL" : "RESTRICT";
}

}  // namespace

std::string column_list(const std::vector<std::string>& columns) {
  std::string list;
  for (const auto& column : columns) list += (list.empty() ? "" : ", ") + identifier(column);
  return list;
}

std::string rule_check(const ColumnSchema& column) {
  const std::string name = identifier(column.name);
  std::vector<std::string> checks;
  if (column.ge || column.le) checks.push_back(name + ' ' + range(column.ge, column.le));
  if (column.ge_real || column.le_real) {
    checks.push_back(name + ' ' + range(column.ge_real, column.le_real));
  }
  if (column.min_length || column.max_length) {
    checks.push_back("length(" + name + ") " + range(column.min_length, column.max_length));
  }
  if (!column.one_of.empty()) {
    std::string choices;
    for (const auto& choice : column.one_of) {
      choices += (choices.empty() ? "" : ", ") + quote(choice);
    }
    checks.push_back(name + " IN (" + choices + ")");
  }
  return fmt::format("{}", fmt::join(checks, " AND "));
}

std::string references_clause(const ReferenceSchema& reference) {
  return fmt::format("REFERENCES {} ({}) ON DELETE {}", identifier(reference.table),
                     identifier(reference.column), on_delete(reference.on_delete));
}

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

std::string Dialect::literal(const ColumnSchema& column, std::string_view text) const {
  return with_value_of(column.kind(), [&](auto value) {
    const Type& type = aegis::detail::type_of<decltype(value)>();
    const std::string problem = read_text(text, type, &value);
    if (!problem.empty()) {
      throw Error(Errc::invalid, fmt::format("The value \"{}\" for the column {} {}.", text,
                                             column.name, problem));
    }
    return literal(type.to_cell(&value));
  });
}

std::string Dialect::column_definition(std::string_view table, const ColumnSchema& column) const {
  const auto constraint = [&](std::string_view ending) {
    return names_constraints()
               ? " CONSTRAINT " + identifier(constraint_name(table, column.name, ending)) + ' '
               : " ";
  };
  std::string text = identifier(column.name) + ' ';
  if (column.generated) {
    text += generated_key();
  } else {
    text += column_type(column.kind());
    if (!column.nullable) text += " NOT NULL";
    if (column.primary_key) text += " PRIMARY KEY";
  }
  if (column.unique) text += constraint("key") + "UNIQUE";
  if (column.default_value) text += " DEFAULT " + literal(column, *column.default_value);
  for (const std::string& check : {type_check(column), rule_check(column)}) {
    if (!check.empty()) text += constraint("check") + "CHECK (" + check + ")";
  }
  if (column.references) text += constraint("fkey") + references_clause(*column.references);
  return text;
}

std::vector<std::string> Dialect::create(const TableSchema& table, bool if_not_exists) const {
  std::vector<std::string> lines;
  for (const auto& column : table.columns) lines.push_back(column_definition(table.name, column));
  for (const auto& unique : table.uniques) {
    lines.push_back((names_constraints() ? "CONSTRAINT " + identifier(unique.name) + ' ' : "") +
                    "UNIQUE (" + column_list(unique.columns) + ")");
  }
  std::vector<std::string> statements;
  statements.push_back(fmt::format("CREATE TABLE {}{} (\n  {}\n){}",
                                   if_not_exists ? "IF NOT EXISTS " : "", identifier(table.name),
                                   fmt::join(lines, ",\n  "), table_options()));
  for (const auto& index : table.indexes) {
    statements.push_back(create_index(table.name, index, if_not_exists));
  }
  return statements;
}

std::vector<std::string> Dialect::create(const Table& table, bool if_not_exists) const {
  return create(schema_of(table), if_not_exists);
}

std::string create_index(std::string_view table, const KeySchema& index, bool if_not_exists) {
  return fmt::format("CREATE {}INDEX {}{} ON {} ({}){}", index.unique ? "UNIQUE " : "",
                     if_not_exists ? "IF NOT EXISTS " : "", identifier(index.name),
                     identifier(table), column_list(index.columns),
                     index.where ? " WHERE " + *index.where : "");
}

}  // namespace aegis::db
