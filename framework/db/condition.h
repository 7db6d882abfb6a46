#pragma once

#include <vector>

#include "aegis/db/column.h"

namespace aegis {

/// What a Condition says: a tree, shared by the conditions that it is part of.
struct Condition::Node {
  enum class Op : std::uint8_t { compare, all_of, any_of, negate };

  Op op;

  // compare
  detail::Comparison comparison{};
  const Object* owner = nullptr;  ///< the struct that `column` is of
  std::string_view column{};
  std::vector<Value> values{};  ///< one; of `in` any number; of the null checks none

  // all_of, any_of (none of them: false), negate (one)
  std::vector<Condition> children{};  ///< none of them is empty
};

}  // namespace aegis
