// What the scalar types are to the rest of the library: see Type in aegis/core/type.h.
#include <utility>

#include "aegis/core/type.h"

namespace aegis {
namespace detail {
namespace {

// To a cell, from each C++ type.

Cell borrow(std::monostate null) {
  return null;
}
Cell borrow(bool value) {
  return value;
}
template <class T>
  requires std::is_integral_v<T>
Cell borrow(T value) {
  return static_cast<std::int64_t>(value);
}
Cell borrow(double value) {
  return value;
}
Cell borrow(const std::string& value) {
  return std::string_view{value};
}
Cell borrow(const Secret<std::string>& value) {
  return std::string_view{value.reveal()};
}
Cell borrow(const Bytes& value) {
  return std::span<const std::byte>{value};
}
Cell borrow(Timestamp value) {
  return value;
}
Cell borrow(std::chrono::milliseconds value) {
  return std::int64_t{value.count()};
}

// From a cell, to each C++ type, also from what a database or a text has in place of it.
// A cell is never null here.

CellStatus assign(const Cell& cell, bool& value) {
  if (const auto* given = std::get_if<bool>(&cell)) {
    value = *given;
    return CellStatus::ok;
  }
  const auto* integer = std::get_if<std::int64_t>(&cell);  // SQLite has no boolean
  if (!integer) return CellStatus::wrong_kind;
  if (*integer != 0 && *integer != 1) return CellStatus::out_of_range;
  value = *integer == 1;
  return CellStatus::ok;
}

template <class T>
  requires std::is_integral_v<T>
CellStatus assign(const Cell& cell, T& value) {
  const auto* given = std::get_if<std::int64_t>(&cell);
  if (!given) return CellStatus::wrong_kind;
  if (!std::in_range<T>(*given)) return CellStatus::out_of_range;
  value = static_cast<T>(*given);
  return CellStatus::ok;
}

CellStatus assign(const Cell& cell, double& value) {
  if (const auto* given = std::get_if<double>(&cell)) {
    value = *given;
    return CellStatus::ok;
  }
  const auto* integer = std::get_if<std::int64_t>(&cell);
  if (!integer) return CellStatus::wrong_kind;
  value = static_cast<double>(*integer);
  return CellStatus::ok;
}

CellStatus assign(const Cell& cell, std::string& value) {
  const auto* given = std::get_if<std::string_view>(&cell);
  if (!given) return CellStatus::wrong_kind;
  value = *given;
  return CellStatus::ok;
}

CellStatus assign(const Cell& cell, Secret<std::string>& value) {
  std::string given;
  const auto status = assign(cell, given);
  if (status == CellStatus::ok) value = Secret<std::string>(std::move(given));
  return status;
}

CellStatus assign(const Cell& cell, Bytes& value) {
  const auto* given = std::get_if<std::span<const std::byte>>(&cell);
  if (!given) return CellStatus::wrong_kind;
  value.assign(given->begin(), given->end());
  return CellStatus::ok;
}

CellStatus assign(const Cell& cell, Timestamp& value) {
  if (const auto* given = std::get_if<Timestamp>(&cell)) {
    value = *given;
    return CellStatus::ok;
  }
  const auto* text = std::get_if<std::string_view>(&cell);  // SQLite has no time
  if (!text) return CellStatus::wrong_kind;
  const auto moment = parse_timestamp(*text);
  if (!moment) return CellStatus::wrong_kind;
  value = *moment;
  return CellStatus::ok;
}

CellStatus assign(const Cell& cell, std::chrono::milliseconds& value) {
  const auto* count = std::get_if<std::int64_t>(&cell);
  if (!count) return CellStatus::wrong_kind;
  value = std::chrono::milliseconds{*count};
  return CellStatus::ok;
}

// What a cell borrows, owned.

template <class T>
Value own(const T& value) {
  return value;
}
Value own(std::string_view value) {
  return std::string{value};
}
Value own(std::span<const std::byte> value) {
  return Bytes{value.begin(), value.end()};
}

template <class T>
constexpr Type plain_type() {
  Type type{.kind = Scalar<T>::kind, .secret = std::is_same_v<T, Secret<std::string>>};
  if constexpr (Scalar<T>::kind == Kind::integer) {
    type.min = std::numeric_limits<T>::min();
    type.max = std::numeric_limits<T>::max();
  }
  type.to_cell = [](const void* object) -> Cell { return borrow(*static_cast<const T*>(object)); };
  type.from_cell = [](const Cell& cell, void* object) {
    if (std::holds_alternative<std::monostate>(cell)) return CellStatus::null;
    return assign(cell, *static_cast<T*>(object));
  };
  return type;
}

template <class T>
constexpr Type optional_type() {
  Type type = plain_type<T>();
  type.nullable = true;
  type.to_cell = [](const void* object) -> Cell {
    const auto& value = *static_cast<const std::optional<T>*>(object);
    return value ? borrow(*value) : Cell{};
  };
  type.from_cell = [](const Cell& cell, void* object) {
    auto& value = *static_cast<std::optional<T>*>(object);
    if (std::holds_alternative<std::monostate>(cell)) {
      value.reset();
      return CellStatus::ok;
    }
    T read{};
    const auto status = assign(cell, read);
    if (status == CellStatus::ok) value = std::move(read);
    return status;
  };
  return type;
}

}  // namespace

// Constant-initialised, so that they can be used before main().
#define AEGIS_SCALAR(cpp_type)                                           \
  constinit const Type Scalar<cpp_type>::plain = plain_type<cpp_type>(); \
  constinit const Type Scalar<cpp_type>::optional = optional_type<cpp_type>();
AEGIS_SCALAR(bool)
AEGIS_SCALAR(std::int16_t)
AEGIS_SCALAR(std::int32_t)
AEGIS_SCALAR(long)
AEGIS_SCALAR(long long)
AEGIS_SCALAR(std::uint16_t)
AEGIS_SCALAR(std::uint32_t)
AEGIS_SCALAR(double)
AEGIS_SCALAR(std::string)
AEGIS_SCALAR(Secret<std::string>)
AEGIS_SCALAR(Bytes)
AEGIS_SCALAR(Timestamp)
AEGIS_SCALAR(std::chrono::milliseconds)
#undef AEGIS_SCALAR

}  // namespace detail

Cell as_cell(const Value& value) {
  return std::visit([](const auto& content) { return detail::borrow(content); }, value);
}

Value to_value(const Cell& cell) {
  return std::visit([](const auto& content) { return detail::own(content); }, cell);
}

const Field* Object::find(std::string_view field) const {
  for (const auto& candidate : fields) {
    if (candidate.name == field) return &candidate;
  }
  return nullptr;
}

}  // namespace aegis
