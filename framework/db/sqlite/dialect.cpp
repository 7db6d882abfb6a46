#include "db/sqlite/dialect.h"

namespace aegis::db::sqlite {

std::string_view SqliteDialect::column_type(Kind kind) const {
  switch (kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::duration:
      return "INTEGER";
    case Kind::real:
      return "REAL";
    case Kind::text:
    case Kind::timestamp:
      return "TEXT";
    case Kind::bytes:
      return "BLOB";
    case Kind::object:
    case Kind::array:
      break;  // refused by creation_order()
  }
  return "ANY";
}

std::string SqliteDialect::literal(const Cell& value) const {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "1" : "0";
  return Dialect::literal(value);
}

std::string SqliteDialect::type_check(const ColumnSchema& column) const {
  if (column.kind() != Kind::boolean) return {};
  return identifier(column.name) + " IN (0, 1)";
}

const SqliteDialect& dialect() {
  static const SqliteDialect instance;
  return instance;
}

}  // namespace aegis::db::sqlite
