#pragma once

#include "db/driver.h"
#include "db/sqlite/connection.h"
#include "db/sqlite/writer.h"

namespace aegis::db::sqlite {

/// Looks at the file and its folder from outside, and at its contents over a connection of its
/// own, so that what earlier ones have in their caches hides nothing. Blocks. What it asks `writer`
/// is safe on any thread.
void inspect_file(const Config& config, const Writer& writer, DatabaseReport& report);

/// Settings and tables, as `connection` sees them. Throws Error.
void inspect_contents(Connection& connection, DatabaseReport& report);

}  // namespace aegis::db::sqlite
