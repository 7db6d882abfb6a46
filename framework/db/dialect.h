#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "db/query.h"
#include "db/table_schema.h"

namespace aegis::db {

/// SQL text and the values of its parameters $1, $2, …, borrowed from the query it was made of.
struct Sql {
  std::string text;
  std::vector<Cell> values{};
};

/// The statements on one row of a table. Their parameters are the row's columns in order.
struct RowStatements {
  std::string get, get_for_update;  ///< $1: the key; all columns
  /// Without the key's column (the database gives the key) and with it. The first answers the key
  /// in a row unless Dialect::key_by_last_insert_id().
  std::string insert, insert_with_key;
  std::string update;  ///< all columns but the key, then the key
  std::string erase;   ///< $1: the key
  struct Upsert {
    std::string insert, insert_with_key;  ///< both answer the key in a row
  };
  std::vector<Upsert> upsert;  ///< by the conflicting column's index; empty where it is not unique
};

/// How one database writes what the builders describe. A value is always a parameter; the one
/// exception is DDL, which knows none: there the model's own defaults and limits are literals.
class Dialect {
 public:
  enum class Id : std::uint8_t { sqlite, postgresql };

  virtual ~Dialect() = default;

  virtual Id id() const = 0;
  virtual std::string_view name() const = 0;
  /// Whether an inserted row's key is told by the driver; otherwise INSERT … RETURNING asks for it.
  virtual bool key_by_last_insert_id() const = 0;
  /// How many parameters a statement can have.
  virtual std::size_t max_parameters() const = 0;
  /// What follows SELECT … to lock rows; empty where the driver locks by other means.
  virtual std::string_view for_update() const = 0;

  Sql select(const Query& query) const;
  Sql count(const Query& query) const;
  Sql exists(const Query& query) const;
  Sql update(const Query& query, bool returning) const;
  Sql remove(const Query& query, bool returning) const;

  /// Made once for each table; safe from every thread.
  const RowStatements& row_statements(const Table& table) const;
  /// Inserts `rows` rows at once, and answers their keys when the database gives them.
  std::string insert_many(const Table& table, std::size_t rows, bool with_key) const;

  /// CREATE TABLE and CREATE INDEX statements, as a person would write them.
  std::vector<std::string> create(const TableSchema& table, bool if_not_exists) const;
  std::vector<std::string> create(const Table& table, bool if_not_exists) const;
  /// A line of CREATE TABLE `table`, or what follows ADD COLUMN.
  std::string column_definition(std::string_view table, const ColumnSchema& column) const;
  /// A value of the column's type, as read_text() reads it, as DDL writes it. Throws
  /// Error(invalid).
  std::string literal(const ColumnSchema& column, std::string_view text) const;

  virtual std::string_view column_type(Kind kind) const = 0;
  /// A check that the column's type needs; empty when the database knows the type itself.
  virtual std::string type_check(const ColumnSchema&) const { return {}; }

 protected:
  /// Type and constraints of a key that the database gives.
  virtual std::string_view generated_key() const = 0;
  /// What follows the columns of CREATE TABLE.
  virtual std::string_view table_options() const = 0;
  /// Whether constraints get names, by which ALTER TABLE can drop them.
  virtual bool names_constraints() const { return true; }
  /// `value` as DDL writes it.
  virtual std::string literal(const Cell& value) const;
};

/// Whether the table can hold NULL there. A key cannot, although its member is empty until the row
/// is inserted.
inline bool is_nullable(const Field& field) {
  return field.type->nullable && !field.rules.primary_key;
}

/// What the column's rules ask of its value, as a condition; empty when they ask nothing.
std::string rule_check(const ColumnSchema& column);
/// "REFERENCES …"
std::string references_clause(const ReferenceSchema& reference);
std::string create_index(std::string_view table, const KeySchema& index, bool if_not_exists);
/// The names as SQL takes them, separated by commas.
std::string column_list(const std::vector<std::string>& columns);

/// A name as SQL takes it: quoted only when it is a reserved word or has other characters than
/// a–z, 0–9 and _, so that statements read well.
std::string identifier(std::string_view name);

}  // namespace aegis::db
