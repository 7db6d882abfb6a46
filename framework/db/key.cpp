#include "db/key.h"

#include <fmt/format.h>

#include "aegis/core/error.h"

namespace aegis::db {
namespace {

bool is_null(const Cell& cell) {
  return std::holds_alternative<std::monostate>(cell);
}

std::string text_of(const Cell& key) {
  if (const auto* integer = std::get_if<std::int64_t>(&key)) return fmt::format("{}", *integer);
  if (const auto* text = std::get_if<std::string_view>(&key)) return fmt::format("\"{}\"", *text);
  if (const auto* moment = std::get_if<Timestamp>(&key)) return to_string(*moment);
  return "with this key";
}

}  // namespace

void throw_not_found(const Table& table, const Cell& key) {
  throw Error(Errc::not_found, fmt::format("{} {} does not exist", table.name, text_of(key)));
}

void throw_not_found(const Table& table) {
  throw Error(Errc::not_found, fmt::format("no such {} exists", table.name));
}

Cell key_of(const Table& table, const void* row) {
  const Field& key = table.key();
  const Cell cell = key.type->to_cell(key.of(row));
  if (is_null(cell)) {
    throw Error(Errc::invalid, fmt::format("This {} has no key: {} is empty. Was it inserted?",
                                           table.name, key.name));
  }
  return cell;
}

bool needs_key(const Table& table, const void* row) {
  const Field& key = table.key();
  if (!key.type->nullable || !is_null(key.type->to_cell(key.of(row)))) return false;
  if (key.type->kind != Kind::integer) {
    throw Error(Errc::invalid,
                fmt::format("This {} has no key: {} is empty, and the database gives integer keys "
                            "only.",
                            table.name, key.name));
  }
  return true;
}

void store_key(const Table& table, void* row, const Cell& key) {
  if (table.key().type->from_cell(key, table.key().of(row)) != CellStatus::ok) {
    throw Error(Errc::internal, fmt::format("The member {}::{} cannot hold its new key, {}.",
                                            table.object->name, table.key().name, text_of(key)));
  }
}

}  // namespace aegis::db
