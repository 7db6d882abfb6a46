#pragma once

#include "db/dialect.h"

namespace aegis::db::sqlite {

/// SQLite 3.40 with STRICT tables. Booleans are the integers 0 and 1, timestamps text (RFC 3339 in
/// UTC, whose text order is time order), durations integers of milliseconds.
class SqliteDialect final : public Dialect {
 public:
  Id id() const override { return Id::sqlite; }
  std::string_view name() const override { return "sqlite"; }
  bool key_by_last_insert_id() const override { return true; }
  std::size_t max_parameters() const override { return 32'766; }
  std::string_view for_update() const override { return {}; }  // the writer is the lock

  std::string_view column_type(Kind kind) const override;
  std::string type_check(const ColumnSchema& column) const override;

 protected:
  /// AUTOINCREMENT: without it SQLite gives the key of a deleted row to the next one, and an old
  /// link, job or cursor would reach the wrong row. (Costs a sixth of a bare insert, measured.)
  std::string_view generated_key() const override { return "INTEGER PRIMARY KEY AUTOINCREMENT"; }
  /// STRICT: a value of another type is an error and not stored.
  std::string_view table_options() const override { return " STRICT"; }
  bool names_constraints() const override { return false; }
  std::string literal(const Cell& value) const override;
};

/// The one there is: it has no state.
const SqliteDialect& dialect();

}  // namespace aegis::db::sqlite
