#pragma once

#include <string>
#include <vector>

#include "aegis/db/database.h"

namespace aegis::db {

/// Replaces this process by the database's own client, sqlite3 or psql, on the database that the
/// options name. What it needs to connect goes by its environment: a command line is there for
/// every user of the machine to read. Throws Error(invalid) when the client is not installed.
[[noreturn]] void become_shell(const DatabaseOptions& options,
                               const std::vector<std::string>& arguments);

}  // namespace aegis::db
