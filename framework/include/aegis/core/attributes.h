#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "aegis/core/type.h"

/// What can be said of a field in AEGIS_FIELDS and AEGIS_TABLE, beside its name.
namespace aegis::attributes {

namespace detail {
constexpr bool any_kind(Kind) {
  return true;
}
constexpr bool is_number(Kind kind) {
  return kind == Kind::integer || kind == Kind::real;
}
constexpr bool has_order(Kind kind) {
  return is_number(kind) || kind == Kind::duration;
}
constexpr bool has_length(Kind kind) {
  return kind == Kind::text || kind == Kind::bytes;
}
constexpr bool is_scalar(Kind kind) {
  return kind != Kind::object && kind != Kind::array;
}
}  // namespace detail

/// The table's key. An optional integer key is filled by the database on insert.
struct PrimaryKey {
  static constexpr bool fits(Kind kind) { return detail::is_scalar(kind); }
  constexpr void apply(Rules& rules) const { rules.primary_key = true; }
};
inline constexpr PrimaryKey primary_key{};

/// No two rows share the value; with a group name, the fields of that group together.
struct Unique {
  std::string_view group{};
  static constexpr bool fits(Kind kind) { return detail::is_scalar(kind); }
  constexpr void apply(Rules& rules) const {
    rules.unique = group.empty();
    rules.unique_group = group;
  }
  constexpr Unique operator()(std::string_view name) const { return {name}; }
};
inline constexpr Unique unique{};

/// The database keeps an index; with a group name, one over the fields of that group in order.
struct Indexed {
  std::string_view group{};
  static constexpr bool fits(Kind kind) { return detail::is_scalar(kind); }
  constexpr void apply(Rules& rules) const {
    rules.indexed = group.empty();
    rules.index_group = group;
  }
  constexpr Indexed operator()(std::string_view name) const { return {name}; }
};
inline constexpr Indexed indexed{};

/// A body must name the field although the struct has a default for it.
struct Required {
  static constexpr bool fits(Kind kind) { return detail::any_kind(kind); }
  constexpr void apply(Rules& rules) const { rules.required = true; }
};
inline constexpr Required required{};

/// Never shown in logs, settings or messages.
struct Secret {
  static constexpr bool fits(Kind kind) { return detail::is_scalar(kind); }
  constexpr void apply(Rules& rules) const { rules.secret = true; }
};
inline constexpr Secret secret{};

/// At least / at most this number (milliseconds for a duration).
template <class Number, bool Lower>
struct Bound {
  Number limit;
  static constexpr bool fits(Kind kind) {
    return std::is_floating_point_v<Number> ? kind == Kind::real : detail::has_order(kind);
  }
  constexpr void apply(Rules& rules) const {
    if constexpr (std::is_floating_point_v<Number>) {
      (Lower ? rules.ge_real : rules.le_real) = limit;
    } else {
      (Lower ? rules.ge : rules.le) = limit;
    }
  }
};
template <class Number>
constexpr auto ge(Number limit) {
  using Stored = std::conditional_t<std::is_floating_point_v<Number>, double, std::int64_t>;
  return Bound<Stored, true>{static_cast<Stored>(limit)};
}
template <class Number>
constexpr auto le(Number limit) {
  using Stored = std::conditional_t<std::is_floating_point_v<Number>, double, std::int64_t>;
  return Bound<Stored, false>{static_cast<Stored>(limit)};
}

/// The least number of characters (text) or bytes.
struct min_length {
  std::uint32_t count;
  constexpr explicit min_length(std::uint32_t n) : count(n) {}
  static constexpr bool fits(Kind kind) { return detail::has_length(kind); }
  constexpr void apply(Rules& rules) const { rules.min_length = count; }
};

/// The greatest number of characters (text) or bytes.
struct max_length {
  std::uint32_t count;
  constexpr explicit max_length(std::uint32_t n) : count(n) {}
  static constexpr bool fits(Kind kind) { return detail::has_length(kind); }
  constexpr void apply(Rules& rules) const { rules.max_length = count; }
};

/// The text is one of these; at most Rules::max_choices of them.
template <std::size_t N>
struct OneOf {
  std::array<std::string_view, N> texts;
  static constexpr bool fits(Kind kind) { return kind == Kind::text; }
  constexpr void apply(Rules& rules) const {
    static_assert(N <= Rules::max_choices, "one_of takes at most 16 texts.");
    for (std::size_t i = 0; i < N; ++i) rules.choices[i] = texts[i];
    rules.choice_count = N;
  }
};
template <class... Text>
constexpr auto one_of(Text... texts) {
  return OneOf<sizeof...(Text)>{{std::string_view{texts}...}};
}

/// The value is a key of another table: references("guild",
/// "id").on_delete(aegis::OnDelete::cascade).
struct references {
  std::string_view table, column;
  OnDelete action = OnDelete::restrict;
  constexpr references(std::string_view t, std::string_view c) : table(t), column(c) {}
  constexpr references on_delete(OnDelete then) const {
    references copy = *this;
    copy.action = then;
    return copy;
  }
  static constexpr bool fits(Kind kind) { return detail::is_scalar(kind); }
  constexpr void apply(Rules& rules) const {
    rules.references_table = table;
    rules.references_column = column;
    rules.on_delete = action;
  }
};

/// The same limits as another struct's field, e.g. like(Shield::col.name): lengths, bounds and
/// choices, not keys and indexes.
struct like {
  Rules source;
  template <class Column>
  constexpr explicit like(Column column) : source(column.rules()) {}
  static constexpr bool fits(Kind kind) { return detail::is_scalar(kind); }
  constexpr void apply(Rules& rules) const {
    rules.ge = source.ge;
    rules.le = source.le;
    rules.ge_real = source.ge_real;
    rules.le_real = source.le_real;
    rules.min_length = source.min_length;
    rules.max_length = source.max_length;
    rules.choices = source.choices;
    rules.choice_count = source.choice_count;
  }
};

/// One sentence for OpenAPI and the list of settings.
struct doc {
  std::string_view text;
  constexpr explicit doc(std::string_view t) : text(t) {}
  static constexpr bool fits(Kind kind) { return detail::any_kind(kind); }
  constexpr void apply(Rules& rules) const { rules.doc = text; }
};

}  // namespace aegis::attributes
