#pragma once

#include <vector>

#include "aegis/db/table.h"

namespace aegis::db {

/// The tables in an order in which they can be created: those that others refer to first, else as
/// given; each once. Throws Error(internal), which says which table and column, for descriptions
/// that no database takes: names that are empty, too long or clash, members that are no scalars,
/// references to what is not there or in a circle.
std::vector<const Table*> creation_order(const std::vector<const Table*>& tables);

}  // namespace aegis::db
