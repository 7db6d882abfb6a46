#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "aegis/core/secret.h"
#include "aegis/core/time.h"

/// Type erasure for values. A user's translation unit only names types; all code that reads and
/// writes JSON, SQL values, path segments or settings is compiled once, in the library, and works
/// on these descriptions.
namespace aegis {

using Bytes = std::vector<std::byte>;

enum class Kind : std::uint8_t {
  boolean,
  integer,
  real,
  text,
  bytes,
  timestamp,
  duration,  // scalars: travel in a Cell
  object,
  array,
};

/// A scalar on its way to or from a database, borrowed from its owner. A duration travels as an
/// integer of milliseconds. Where a database lacks a type, an integer of 0 or 1 is read as a
/// boolean, an integer as a real, RFC 3339 text as a timestamp.
using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string_view,
                          std::span<const std::byte>, Timestamp>;

/// A scalar that owns its content.
using Value =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes, Timestamp>;

/// Borrows from `value`, which must outlive the result.
Cell as_cell(const Value& value);
/// Copies what `cell` borrows.
Value to_value(const Cell& cell);

/// How reading a cell ended.
enum class CellStatus : std::uint8_t { ok, null, wrong_kind, out_of_range };

struct Object;

/// The description of a C++ type. One constant per type, compared by content, never copied.
/// The operations take a pointer to an object of that type.
struct Type {
  Kind kind;
  bool nullable = false;  ///< std::optional of the rest
  bool secret = false;    ///< a Secret: JSON, settings and messages show ***
  std::int64_t min = std::numeric_limits<std::int64_t>::min();  ///< of an integer type
  std::int64_t max = std::numeric_limits<std::int64_t>::max();  ///< of an integer type

  // Scalars, also nullable ones.
  Cell (*to_cell)(const void* object) = nullptr;
  /// Leaves the object unchanged unless it answers ok.
  CellStatus (*from_cell)(const Cell& cell, void* object) = nullptr;

  // A described struct (object), or the element type (array).
  const Object& (*object)() = nullptr;
  const Type& (*element)() = nullptr;
  std::size_t (*size)(const void* array) = nullptr;
  const void* (*at)(const void* array, std::size_t index) = nullptr;
  void* (*append)(void* array) = nullptr;  ///< adds a default element and returns it
  void (*clear)(void* array) = nullptr;

  // std::optional of an object or array.
  const void* (*peek)(const void* optional) = nullptr;  ///< null when empty
  void* (*emplace)(void* optional) = nullptr;
  void (*reset)(void* optional) = nullptr;
};

/// Whether a referenced row's end takes this one along.
enum class OnDelete : std::uint8_t { restrict, cascade, set_null };

/// What an attribute list says about a field. Feeds validation, OpenAPI and DDL alike.
struct Rules {
  static constexpr std::size_t max_choices = 16;

  bool primary_key = false;
  bool unique = false;
  bool indexed = false;
  bool required = false;            ///< must be present in a body even though a default exists
  bool secret = false;              ///< never shown in logs, settings or messages
  std::string_view unique_group{};  ///< fields with the same group are unique together
  std::string_view index_group{};   ///< fields with the same group share one index
  std::optional<std::int64_t> ge{}, le{};
  std::optional<double> ge_real{}, le_real{};
  std::optional<std::uint32_t> min_length{}, max_length{};  ///< characters of text, bytes of bytes
  std::array<std::string_view, max_choices> choices{};
  std::size_t choice_count = 0;
  std::string_view references_table{}, references_column{};
  OnDelete on_delete = OnDelete::restrict;
  std::string_view doc{};  ///< one sentence for OpenAPI and settings

  constexpr std::span<const std::string_view> one_of() const {
    return {choices.data(), choice_count};
  }
};

/// One member of a described struct.
struct Field {
  std::string_view name;
  const Type* type;
  void* (*member)(void* object);  ///< the member's address
  Rules rules;

  const void* of(const void* object) const { return member(const_cast<void*>(object)); }
  void* of(void* object) const { return member(object); }
};

/// A described struct.
struct Object {
  std::string_view name;
  std::span<const Field> fields;
  const void* (*defaults)();  ///< a default-constructed one, shared and constant

  /// Null when there is no such field.
  const Field* find(std::string_view field) const;
};

namespace detail {

template <class T>
struct Scalar : std::false_type {};  // specialised for every type the library describes

#define AEGIS_SCALAR(cpp_type, kind_name)         \
  template <>                                     \
  struct Scalar<cpp_type> : std::true_type {      \
    static constexpr Kind kind = Kind::kind_name; \
    static const Type plain;                      \
    static const Type optional;                   \
  };
AEGIS_SCALAR(bool, boolean)
AEGIS_SCALAR(std::int16_t, integer)
AEGIS_SCALAR(std::int32_t, integer)
AEGIS_SCALAR(long, integer)
AEGIS_SCALAR(long long, integer)
AEGIS_SCALAR(std::uint16_t, integer)
AEGIS_SCALAR(std::uint32_t, integer)
AEGIS_SCALAR(double, real)
AEGIS_SCALAR(std::string, text)
AEGIS_SCALAR(Secret<std::string>, text)
AEGIS_SCALAR(Bytes, bytes)
AEGIS_SCALAR(Timestamp, timestamp)
AEGIS_SCALAR(std::chrono::milliseconds, duration)
#undef AEGIS_SCALAR

template <class T>
struct Unwrap {
  using type = T;
  static constexpr bool is_optional = false, is_vector = false;
};
template <class T>
struct Unwrap<std::optional<T>> {
  using type = T;
  static constexpr bool is_optional = true, is_vector = false;
};
template <class T>
struct Unwrap<std::vector<T>> {
  using type = T;
  static constexpr bool is_optional = false, is_vector = true;
};

template <class T>
concept HasFields = requires { T::aegis_fields(); };

template <class T>
constexpr Kind kind_of();
template <class T>
constexpr const Type& type_of();

}  // namespace detail

/// A struct described with AEGIS_FIELDS or AEGIS_TABLE.
template <class T>
concept Described = detail::HasFields<T>;

/// The description of a struct; the same object on every call.
template <Described T>
const Object& describe();

namespace detail {

template <class T>
struct ArrayType {
  static const Type value;
};
template <class T>
struct ObjectType {
  static const Type value;
};
template <class T>
struct OptionalType {
  static const Type value;
};

template <class T>
constexpr Kind kind_of() {
  using U = Unwrap<T>;
  if constexpr (Scalar<T>::value) {
    return Scalar<T>::kind;
  } else if constexpr (U::is_optional) {
    static_assert(!Unwrap<typename U::type>::is_optional,
                  "An optional of an optional is not supported: JSON and SQL have one null.");
    return kind_of<typename U::type>();
  } else if constexpr (U::is_vector) {
    static_assert(!std::is_same_v<typename U::type, bool>,
                  "std::vector<bool> is not supported: its elements are no objects.");
    return Kind::array;
  } else {
    static_assert(HasFields<T>,
                  "This member's type is not supported: use bool, an integer of up to 64 signed "
                  "bits, double, std::string, aegis::Bytes, aegis::Timestamp, "
                  "std::chrono::milliseconds, a struct with AEGIS_FIELDS, or std::optional / "
                  "std::vector of these.");
    return Kind::object;
  }
}

template <class T>
constexpr const Type& type_of() {
  using U = Unwrap<T>;
  if constexpr (Scalar<T>::value) {
    return Scalar<T>::plain;
  } else if constexpr (U::is_optional) {
    if constexpr (Scalar<typename U::type>::value) {
      return Scalar<typename U::type>::optional;
    } else {
      return OptionalType<typename U::type>::value;
    }
  } else if constexpr (U::is_vector) {
    return ArrayType<typename U::type>::value;
  } else {
    return ObjectType<T>::value;
  }
}

template <class T>
const Type ArrayType<T>::value{
    .kind = Kind::array,
    .element = []() -> const Type& { return type_of<T>(); },
    .size = [](const void* v) { return static_cast<const std::vector<T>*>(v)->size(); },
    .at = [](const void* v, std::size_t i) -> const void* {
      return &(*static_cast<const std::vector<T>*>(v))[i];
    },
    .append = [](void* v) -> void* { return &static_cast<std::vector<T>*>(v)->emplace_back(); },
    .clear = [](void* v) { static_cast<std::vector<T>*>(v)->clear(); },
};

template <class T>
const Type ObjectType<T>::value{
    .kind = Kind::object,
    .object = []() -> const Object& { return describe<T>(); },
};

template <class T>
const Type OptionalType<T>::value{
    .kind = kind_of<T>(),
    .nullable = true,
    .element = []() -> const Type& { return type_of<T>(); },
    .peek = [](const void* o) -> const void* {
      const auto& optional = *static_cast<const std::optional<T>*>(o);
      return optional ? &*optional : nullptr;
    },
    .emplace = [](void* o) -> void* { return &static_cast<std::optional<T>*>(o)->emplace(); },
    .reset = [](void* o) { static_cast<std::optional<T>*>(o)->reset(); },
};

}  // namespace detail
}  // namespace aegis
