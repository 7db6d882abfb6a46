#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "aegis/core/type.h"

namespace aegis {

namespace detail {
template <class T>
struct Fields;
}

/// A condition on the rows of one table: comparisons, joined by && || and !. Values in it are
/// always bound as parameters. Cheap to copy. A default one holds for every row.
///
/// Conditions are either true or false, never SQL's "unknown": a column that is NULL differs from
/// every value, so that `col.a != "x"` holds for it, and !(…) is always the exact opposite.
class Condition {
 public:
  Condition() noexcept;
  Condition(const Condition&) noexcept;
  Condition(Condition&&) noexcept;
  Condition& operator=(const Condition&) noexcept;
  Condition& operator=(Condition&&) noexcept;
  ~Condition();

  friend Condition operator&&(Condition a, Condition b);
  friend Condition operator||(Condition a, Condition b);
  friend Condition operator!(Condition a);

  struct Node;  ///< the library's own (db/condition.h); null: holds for every row
  explicit Condition(std::shared_ptr<const Node> node) noexcept;
  const Node* node() const noexcept { return node_.get(); }

 private:
  std::shared_ptr<const Node> node_;
};

/// One column of an ORDER BY.
struct Order {
  std::string_view column;
  bool descending = false;
};

namespace detail {

enum class Comparison : std::uint8_t { eq, ne, lt, le, gt, ge, like, in, is_null, not_null };

/// `owner` is the struct the column is of: a condition on another table's column is an error.
Condition compare(Comparison op, const Object& owner, std::string_view column, const Cell& value);
Condition compare_null(Comparison op, const Object& owner, std::string_view column);
/// `values` are `count` objects of `type`, `stride` bytes apart.
Condition compare_in(const Object& owner, std::string_view column, const Type& type,
                     const void* values, std::size_t count, std::size_t stride);

}  // namespace detail

/// A typed handle on a model's column: Model::col.name. T is the member's type.
template <class Owner, class T, std::size_t Index>
struct Column {
  using Plain = typename detail::Unwrap<T>::type;

  static constexpr const Field& field() { return detail::Fields<Owner>::list[Index]; }
  static constexpr const Rules& rules() { return field().rules; }
  static constexpr std::string_view name() { return field().name; }

  friend Condition operator==(Column, const Plain& v) { return is(detail::Comparison::eq, v); }
  friend Condition operator!=(Column, const Plain& v) { return is(detail::Comparison::ne, v); }
  friend Condition operator<(Column, const Plain& v) { return is(detail::Comparison::lt, v); }
  friend Condition operator<=(Column, const Plain& v) { return is(detail::Comparison::le, v); }
  friend Condition operator>(Column, const Plain& v) { return is(detail::Comparison::gt, v); }
  friend Condition operator>=(Column, const Plain& v) { return is(detail::Comparison::ge, v); }
  friend Condition operator==(Column c, std::nullopt_t) { return c.is_null(); }
  friend Condition operator!=(Column c, std::nullopt_t) { return c.not_null(); }

  /// SQL's LIKE: % is any text, _ any character; \ escapes them. Case-sensitive on both databases.
  Condition like(std::string_view pattern) const {
    static_assert(detail::kind_of<T>() == Kind::text, "like() needs a text column.");
    return detail::compare(detail::Comparison::like, owner(), name(), pattern);
  }
  /// Equal to one of `values`; none of them: no row.
  Condition in(std::span<const Plain> values) const {
    return detail::compare_in(owner(), name(), detail::type_of<Plain>(), values.data(),
                              values.size(), sizeof(Plain));
  }
  Condition is_null() const {
    return detail::compare_null(detail::Comparison::is_null, owner(), name());
  }
  Condition not_null() const {
    return detail::compare_null(detail::Comparison::not_null, owner(), name());
  }

  Order asc() const { return {name(), false}; }
  Order desc() const { return {name(), true}; }

 private:
  static constexpr const Object& owner() { return detail::Fields<Owner>::object; }
  static Condition is(detail::Comparison op, const Plain& v) {
    return detail::compare(op, owner(), name(),
                           detail::type_of<Plain>().to_cell(std::addressof(v)));
  }
};

}  // namespace aegis
