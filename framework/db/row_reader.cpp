#include "db/row_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "aegis/core/error.h"

namespace aegis::db {
namespace {

std::string_view kind_of(const Cell& cell) {
  static constexpr std::array<std::string_view, 7> names{
      "NULL", "a boolean", "an integer", "a real number", "text", "bytes", "a time"};
  return names[cell.index()];
}

std::string expected(const Type& type) {
  switch (type.kind) {
    case Kind::boolean:
      return "a boolean";
    case Kind::integer:
      return fmt::format("an integer between {} and {}", type.min, type.max);
    case Kind::real:
      return "a real number";
    case Kind::text:
      return "text";
    case Kind::bytes:
      return "bytes";
    case Kind::timestamp:
      return "a time (RFC 3339)";
    case Kind::duration:
      return "an integer of milliseconds";
    case Kind::object:
    case Kind::array:
      break;
  }
  return "a single value";
}

[[noreturn]] void refuse(std::string_view column, const Cell& cell, const Type& type,
                         CellStatus status) {
  const bool null = status == CellStatus::null;
  const std::string_view outside = status == CellStatus::out_of_range ? " out of range" : "";
  throw Error(Errc::internal,
              fmt::format("{} holds {}{}; the member takes {}{}.", column, kind_of(cell), outside,
                          expected(type), null ? ", and is no std::optional" : ""));
}

}  // namespace

void RowReader::columns(std::span<const std::string_view> names) {
  if (table_) return;
  if (target_.type->kind != Kind::object) {
    if (names.empty()) throw Error(Errc::internal, "The statement answers no column.");
    first_column_ = names.front();
    return;
  }
  const Object& object = target_.type->object();
  column_of_.clear();
  for (const Field& field : object.fields) {
    const auto found = std::ranges::find(names, field.name);
    if (found == names.end()) {
      throw Error(Errc::internal,
                  fmt::format("The statement answers no column {} for {}::{}; its columns are: {}.",
                              field.name, object.name, field.name, fmt::join(names, ", ")));
    }
    if (std::find(found + 1, names.end(), field.name) != names.end()) {
      throw Error(Errc::internal,
                  fmt::format("The statement answers two columns named {}; give one another name "
                              "with AS.",
                              field.name));
    }
    column_of_.push_back(static_cast<std::size_t>(found - names.begin()));
  }
}

void RowReader::row(std::span<const Cell> cells) {
  if (++count_ > most_) return;
  void* object = target_.next(target_.container);
  last_ = object;
  if (target_.type->kind != Kind::object) {
    return read(cells.front(), *target_.type, object, first_column_);
  }
  const auto fields = target_.type->object().fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    read(cells[table_ ? i : column_of_[i]], *field.type, field.of(object), field.name);
  }
}

void RowReader::restart() {
  target_.clear(target_.container);
  count_ = 0;
  last_ = nullptr;
}

void RowReader::read(const Cell& cell, const Type& type, void* value,
                     std::string_view column) const {
  const CellStatus status = type.from_cell ? type.from_cell(cell, value) : CellStatus::wrong_kind;
  if (status == CellStatus::ok) [[likely]]
    return;
  refuse(table_ ? fmt::format("{}.{}", table_->name, column) : fmt::format("Column {}", column),
         cell, type, status);
}

}  // namespace aegis::db
