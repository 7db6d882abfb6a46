#include "db/table_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/crc.hpp>
#include <cmath>

#include "aegis/core/json.h"
#include "db/dialect.h"
#include "db/schema.h"

namespace aegis::db {
namespace {

constexpr std::size_t max_name = 63;  // bytes; PostgreSQL cuts longer names off

constexpr std::array<std::string_view, 7> kinds{"boolean", "integer",   "real",    "text",
                                                "bytes",   "timestamp", "duration"};

std::string_view on_delete(OnDelete action) {
  switch (action) {
    case OnDelete::restrict:
      return "restrict";
    case OnDelete::cascade:
      return "cascade";
    case OnDelete::set_null:
      return "set_null";
  }
  return {};
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

std::optional<std::string> default_of(const Table& table, const Field& field) {
  const Cell initial = field.type->to_cell(field.of(table.object->defaults()));
  if (field.rules.primary_key || is_value_initialised(initial) || !has_literal(initial)) {
    return std::nullopt;
  }
  return with_value_of(field.type->kind, [&](auto value) {
    const Type& type = aegis::detail::type_of<decltype(value)>();
    type.from_cell(initial, &value);
    return write_text(type, &value);
  });
}

ColumnSchema schema_of(const Table& table, const Field& field) {
  const Rules& rules = field.rules;
  ColumnSchema column{
      .name = std::string(field.name),
      .type = std::string(kinds.at(static_cast<std::size_t>(field.type->kind))),
      .nullable = is_nullable(field),
      .primary_key = rules.primary_key,
      .generated = rules.primary_key && field.type->nullable && field.type->kind == Kind::integer,
      .unique = rules.unique && !rules.primary_key,
      .default_value = default_of(table, field),
      .ge = rules.ge,
      .le = rules.le,
      .ge_real = rules.ge_real,
      .le_real = rules.le_real,
      .min_length = rules.min_length,
      .max_length = rules.max_length,
  };
  for (const std::string_view choice : rules.one_of()) column.one_of.emplace_back(choice);
  if (!rules.references_table.empty()) {
    column.references = {.table = std::string(rules.references_table),
                         .column = std::string(rules.references_column),
                         .on_delete = std::string(on_delete(rules.on_delete))};
  }
  return column;
}

/// The groups that `group` names among the fields, in order of their first field.
std::vector<KeySchema> groups(const Table& table, std::string_view Rules::* group,
                              std::string_view ending) {
  std::vector<KeySchema> found;
  for (const Field& field : table.object->fields) {
    const std::string_view part = field.rules.*group;
    if (part.empty()) continue;
    const std::string name = constraint_name(table.name, part, ending);
    auto at = std::ranges::find(found, name, &KeySchema::name);
    if (at == found.end()) at = found.insert(found.end(), KeySchema{.name = name});
    at->columns.emplace_back(field.name);
  }
  return found;
}

KeySchema schema_of(const Table& table, const TableIndex& index) {
  KeySchema schema{.name = constraint_name(table.name, index.name, "idx"), .unique = index.unique};
  boost::split(schema.columns, index.columns, boost::is_any_of(", "), boost::token_compress_on);
  if (!index.where.empty()) schema.where = std::string(index.where);
  return schema;
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

Kind ColumnSchema::kind() const {
  return static_cast<Kind>(std::ranges::find(kinds, type) - kinds.begin());
}

const ColumnSchema* TableSchema::find(std::string_view column) const {
  const auto at = std::ranges::find(columns, column, &ColumnSchema::name);
  return at == columns.end() ? nullptr : &*at;
}

const TableSchema* Schema::find(std::string_view table) const {
  const auto at = std::ranges::find(tables, table, &TableSchema::name);
  return at == tables.end() ? nullptr : &*at;
}

TableSchema schema_of(const Table& table) {
  TableSchema schema{.name = std::string(table.name)};
  for (const Field& field : table.object->fields) {
    schema.columns.push_back(schema_of(table, field));
    const bool unique = field.rules.unique || field.rules.primary_key;
    const bool reference = !field.rules.references_table.empty();
    if ((field.rules.indexed && !unique) || (reference && !leads_an_index(table, field))) {
      schema.indexes.push_back({.name = constraint_name(table.name, field.name, "idx"),
                                .columns = {std::string(field.name)}});
    }
  }
  schema.uniques = groups(table, &Rules::unique_group, "key");
  for (auto& index : groups(table, &Rules::index_group, "idx")) {
    schema.indexes.push_back(std::move(index));
  }
  for (const TableIndex& index : table.indexes) schema.indexes.push_back(schema_of(table, index));
  return schema;
}

Schema schema_of(const std::vector<const Table*>& tables) {
  Schema schema;
  for (const Table* table : creation_order(tables)) schema.tables.push_back(schema_of(*table));
  return schema;
}

std::string constraint_name(std::string_view table, std::string_view part,
                            std::string_view ending) {
  std::string name = fmt::format("{}_{}_{}", table, part, ending);
  if (name.size() <= max_name) return name;
  boost::crc_32_type checksum;
  checksum.process_bytes(name.data(), name.size());
  const std::string rest = fmt::format("_{:08x}_{}", checksum.checksum(), ending);
  std::size_t kept = max_name - rest.size();
  while ((static_cast<unsigned char>(name[kept]) & 0xC0U) == 0x80U) --kept;  // no half letter
  return name.substr(0, kept) + rest;
}

}  // namespace aegis::db
