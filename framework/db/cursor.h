#pragma once

#include <string>
#include <string_view>

#include "db/query.h"

namespace aegis::db {

/// The cursor of a page: where its last row, `row`, stands in the query's order. A client cannot
/// read it without effort, and can change nothing with it but the place to go on from.
std::string write_cursor(const Query& query, const void* row);

/// Sets `query.after` from its cursor. Throws ValidationError unless write_cursor() made it for a
/// query with the same table and order.
void read_cursor(std::string_view cursor, Query& query);

}  // namespace aegis::db
