#include "db/postgres/dialect.h"

#include <fmt/format.h>

namespace aegis::db::postgres {

std::string_view PostgresDialect::column_type(Kind kind) const {
  switch (kind) {
    case Kind::boolean:
      return "BOOLEAN";
    case Kind::integer:
    case Kind::duration:
      return "BIGINT";
    case Kind::real:
      return "DOUBLE PRECISION";
    case Kind::text:
      // Compared by its bytes, as SQLite does: the same order on every server, whatever its locale,
      // and an index that LIKE 'begin%' can use.
      return "TEXT COLLATE \"C\"";
    case Kind::bytes:
      return "BYTEA";
    case Kind::timestamp:
      return "TIMESTAMPTZ";
    case Kind::object:
    case Kind::array:
      break;  // refused by creation_order()
  }
  return "TEXT";
}

std::string PostgresDialect::literal(const Cell& value) const {
  const auto* bytes = std::get_if<std::span<const std::byte>>(&value);
  if (!bytes) return Dialect::literal(value);
  std::string hex = "'\\x";
  for (const std::byte byte : *bytes) hex += fmt::format("{:02x}", byte);
  return hex + '\'';
}

const PostgresDialect& dialect() {
  static const PostgresDialect instance;
  return instance;
}

}  // namespace aegis::db::postgres
