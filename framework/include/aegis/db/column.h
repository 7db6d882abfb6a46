#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "aegis/core/type.h"

namespace aegis {

namespace detail {
template <class T>
struct Fields;
}

/// A condition on rows: a small tree of comparisons, turned into SQL by the dialect. Values in it
/// are always bound as parameters.
struct Condition {
  enum class Op : std::uint8_t {
    always, eq, ne, lt, le, gt, ge, like, in, is_null, not_null, all_of, any_of, negate,
  };

  Op op = Op::always;
  std::string_view column{};          ///< of a comparison
  std::vector<Value> values{};        ///< of a comparison: one, of `in`: any number
  std::vector<Condition> children{};  ///< of all_of, any_of, negate

  friend Condition operator&&(Condition a, Condition b);
  friend Condition operator||(Condition a, Condition b);
  friend Condition operator!(Condition a);
};

/// One column of an ORDER BY.
struct Order {
  std::string_view column;
  bool descending = false;
};

/// A typed handle on a model's column: Model::col.name. T is the member's type.
template <class Owner, class T, std::size_t Index>
struct Column {
  using Plain = typename detail::Unwrap<T>::type;

  static constexpr const Field& field() { return detail::Fields<Owner>::list[Index]; }
  static constexpr const Rules& rules() { return field().rules; }
  static constexpr std::string_view name() { return field().name; }

  friend Condition operator==(Column, const Plain& v) { return compare(Condition::Op::eq, v); }
  friend Condition operator!=(Column, const Plain& v) { return compare(Condition::Op::ne, v); }
  friend Condition operator<(Column, const Plain& v) { return compare(Condition::Op::lt, v); }
  friend Condition operator<=(Column, const Plain& v) { return compare(Condition::Op::le, v); }
  friend Condition operator>(Column, const Plain& v) { return compare(Condition::Op::gt, v); }
  friend Condition operator>=(Column, const Plain& v) { return compare(Condition::Op::ge, v); }
  friend Condition operator==(Column c, std::nullopt_t) { return c.is_null(); }
  friend Condition operator!=(Column c, std::nullopt_t) { return c.not_null(); }

  /// SQL's LIKE: % is any text, _ any character; \ escapes them. Case-sensitive on both databases.
  Condition like(std::string_view pattern) const {
    static_assert(detail::kind_of<T>() == Kind::text, "like() needs a text column.");
    return {Condition::Op::like, name(), one(std::string(pattern)), {}};
  }
  /// Equal to one of `values`; none of them: no row.
  Condition in(std::span<const Plain> values) const {
    Condition condition{Condition::Op::in, name(), {}, {}};
    for (const auto& v : values) condition.values.push_back(value(v));
    return condition;
  }
  Condition is_null() const { return {Condition::Op::is_null, name(), {}, {}}; }
  Condition not_null() const { return {Condition::Op::not_null, name(), {}, {}}; }

  Order asc() const { return {name(), false}; }
  Order desc() const { return {name(), true}; }

  /// `v` as a parameter for this column.
  static Value value(const Plain& v) {
    return to_value(detail::type_of<Plain>().to_cell(std::addressof(v)));
  }

 private:
  static std::vector<Value> one(Value v) {
    std::vector<Value> values;
    values.push_back(std::move(v));
    return values;
  }
  static Condition compare(Condition::Op op, const Plain& v) {
    return {op, name(), one(value(v)), {}};
  }
};

}  // namespace aegis
