#pragma once

#include <map>
#include <string>
#include <vector>

#include "aegis/core/function_ref.h"

namespace aegis::db {

/// What a database's own catalogue says of its tables: definitions by name.
struct Catalogue {
  struct Table {
    std::map<std::string, std::string> columns{}, indexes{};
    /// By name, or where databases keep none by definition.
    std::map<std::string, std::string> constraints{};
  };
  std::map<std::string, Table> tables{};
};

/// How `actual` differs from `expected`, a line each. What only `actual` has is told unless
/// `is_known` says that it was made on purpose.
std::vector<std::string> differences(const Catalogue& expected, const Catalogue& actual,
                                     FunctionRef<bool(const std::string& name)> is_known);

}  // namespace aegis::db
