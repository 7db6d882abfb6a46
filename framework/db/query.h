#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "aegis/db/query.h"

namespace aegis::db {

/// What a builder has gathered: a statement on whole rows of one table.
struct Query {
  struct Assignment {
    std::string_view column;
    Value value;
  };

  const Table* table = nullptr;
  Condition where{};

  // SELECT
  std::vector<Order> order{};
  /// Values of the order's columns: only rows that sort after them.
  std::vector<Value> after{};
  std::optional<std::int64_t> limit{};
  std::optional<std::int64_t> offset{};
  bool for_update = false;

  // UPDATE
  std::vector<Assignment> set{};
};

}  // namespace aegis::db
