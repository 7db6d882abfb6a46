#pragma once

#include <array>
#include <atomic>

#include "aegis/core/fields.h"
#include "aegis/db/column.h"

/// Describes a model: a plain struct whose objects are rows of a table.
///
///   struct Shield {
///     std::optional<std::int64_t> id{};
///     std::string name{};
///     AEGIS_TABLE(Shield, "shield", (id, primary_key), (name, unique, max_length(80)))
///   };
///
/// As AEGIS_FIELDS, and gives typed columns: Shield::col.name == "Aegis".
#define AEGIS_TABLE(Struct, table, ...)                  \
  AEGIS_FIELDS(Struct, __VA_ARGS__)                      \
  static constexpr ::std::string_view aegis_table() {    \
    return table;                                        \
  }                                                      \
  struct aegis_columns {                                 \
    AEGIS_EACH_FIELD(AEGIS_DESCRIBE_COLUMN, __VA_ARGS__) \
  };                                                     \
  [[maybe_unused]] static constexpr aegis_columns col{};

#define AEGIS_DESCRIBE_COLUMN(index, name, ...)                        \
  ::aegis::Column<aegis_self, decltype(aegis_self::name), index> name; \
  static decltype(aegis_self::name) aegis_member(::std::integral_constant<::std::size_t, index>);

namespace aegis {

namespace detail {
/// Room for what the library derives from a table once for each SQL dialect.
using TableCache = std::array<std::atomic<const void*>, 2>;
}  // namespace detail

/// An index that no attribute can say, such as one over some of the rows only. A model names its
/// own in `static constexpr std::array aegis_indexes{TableIndex{…}}`.
struct TableIndex {
  std::string_view name;     ///< made unique by the table's: job_fetch_idx
  std::string_view columns;  ///< in order, separated by ", "
  std::string_view where{};  ///< SQL that every database takes; empty: all rows
  bool unique = false;       ///< no two of these rows have the same values
};

/// The description of a model's table.
struct Table {
  std::string_view name;
  const Object* object;
  std::size_t primary_key;  ///< the key's index among the fields
  detail::TableCache* cache;
  std::span<const TableIndex> indexes{};

  const Field& key() const { return object->fields[primary_key]; }
};

/// A struct described with AEGIS_TABLE.
template <class T>
concept Model = Described<T> && requires { T::aegis_table(); };

namespace detail {

constexpr std::size_t find_primary_key(std::span<const Field> fields) {
  std::size_t found = fields.size();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].rules.primary_key) continue;
    if (found != fields.size()) return fields.size() + 1;
    found = i;
  }
  return found;
}

template <class T>
constexpr std::span<const TableIndex> indexes_of() {
  if constexpr (requires { T::aegis_indexes; }) return T::aegis_indexes;
  return {};
}

template <class T>
struct TableOf {
  static constexpr std::size_t key = find_primary_key(Fields<T>::list);
  static_assert(key < Fields<T>::list.size(),
                "A model needs exactly one field with the attribute primary_key.");
  static inline constinit TableCache cache{};
  static constexpr Table table{T::aegis_table(), &Fields<T>::object, key, &cache, indexes_of<T>()};
};

}  // namespace detail

/// The type of a model's key, without std::optional.
template <Model T>
using KeyOf = typename detail::Unwrap<decltype(T::aegis_columns::aegis_member(
    std::integral_constant<std::size_t, detail::TableOf<T>::key>{}))>::type;

template <Model T>
const Table& table_of() {
  return detail::TableOf<T>::table;
}

}  // namespace aegis
