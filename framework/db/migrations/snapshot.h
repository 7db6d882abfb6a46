#pragma once

#include <string>
#include <string_view>

#include "db/table_schema.h"

namespace aegis::db {

/// A schema as migrations/schema.json keeps it: a line for each column, so that a change reads well
/// in a review; what is a column's usual state is left out.
std::string write_snapshot(const Schema& schema);

/// Reads it. Throws Error(invalid) that names `file` and what is wrong.
Schema read_snapshot(std::string_view text, std::string_view file);

}  // namespace aegis::db
