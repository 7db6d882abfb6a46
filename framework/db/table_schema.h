#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/db/table.h"

/// Tables as DDL sees them: what models describe, in values that can be kept, read again and
/// compared. CREATE TABLE and migrations are both made from these.
namespace aegis::db {

struct ReferenceSchema {
  std::string table{}, column{};
  std::string on_delete = "restrict";

  bool operator==(const ReferenceSchema&) const = default;
  AEGIS_FIELDS(ReferenceSchema, (table, required), (column, required),
               (on_delete, one_of("restrict", "cascade", "set_null")))
};

struct ColumnSchema {
  std::string name{};
  std::string type{};  ///< a Kind's name
  bool nullable = false;
  bool primary_key = false;
  bool generated = false;  ///< the database gives the key
  bool unique = false;
  std::optional<std::string> default_value{};  ///< as read_text() reads it
  std::optional<std::int64_t> ge{}, le{};
  std::optional<double> ge_real{}, le_real{};
  std::optional<std::uint32_t> min_length{}, max_length{};
  std::vector<std::string> one_of{};
  std::optional<ReferenceSchema> references{};

  Kind kind() const;

  bool operator==(const ColumnSchema&) const = default;
  AEGIS_FIELDS(ColumnSchema, (name, required),
               (type, required,
                one_of("boolean", "integer", "real", "text", "bytes", "timestamp", "duration")),
               (nullable), (primary_key), (generated), (unique), (default_value), (ge), (le),
               (ge_real), (le_real), (min_length), (max_length), (one_of), (references))
};

/// A unique group or an index: its name and its columns in order.
struct KeySchema {
  std::string name{};
  std::vector<std::string> columns{};
  std::optional<std::string> where{};  ///< an index: SQL that says which rows it is over
  bool unique = false;                 ///< an index

  bool operator==(const KeySchema&) const = default;
  AEGIS_FIELDS(KeySchema, (name, required), (columns, required), (where), (unique))
};

struct TableSchema {
  std::string name{};
  std::vector<ColumnSchema> columns{};
  std::vector<KeySchema> uniques{};  ///< over several columns
  std::vector<KeySchema> indexes{};

  /// Null when there is no such column.
  const ColumnSchema* find(std::string_view column) const;

  bool operator==(const TableSchema&) const = default;
  AEGIS_FIELDS(TableSchema, (name, required), (columns, required), (uniques), (indexes))
};

/// All tables, each after those it refers to.
struct Schema {
  std::vector<TableSchema> tables{};

  /// Null when there is no such table.
  const TableSchema* find(std::string_view table) const;

  bool operator==(const Schema&) const = default;
  AEGIS_FIELDS(Schema, (tables, required))
};

TableSchema schema_of(const Table& table);
/// Throws Error(internal) as creation_order() does.
Schema schema_of(const std::vector<const Table*>& tables);

/// Table, column or group, and ending, as PostgreSQL composes names: guild_name_key, _check, _fkey,
/// _idx. One that would be too long is cut, and a checksum tells it from others.
std::string constraint_name(std::string_view table, std::string_view part, std::string_view ending);

/// Calls `use` with a value-initialised object of the C++ type that stands for `kind`.
template <class F>
auto with_value_of(Kind kind, F use) {
  switch (kind) {
    case Kind::boolean:
      return use(bool{});
    case Kind::integer:
      return use(std::int64_t{});
    case Kind::real:
      return use(double{});
    case Kind::bytes:
      return use(Bytes{});
    case Kind::timestamp:
      return use(Timestamp{});
    case Kind::duration:
      return use(std::chrono::milliseconds{});
    default:
      return use(std::string{});
  }
}

}  // namespace aegis::db
