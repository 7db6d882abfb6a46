#pragma once

#include "db/driver.h"
#include "db/postgres/config.h"

namespace aegis::db::postgres {

/// Asks the server about itself and its tables. Throws Error.
awaitable<void> inspect_server(Link& link, DatabaseReport& report);

/// How far the server has written; empty for one that itself follows another.
awaitable<std::string> write_position(Link& link);
/// How far the replica is behind that position of the primary's; a Problem when `limit` is
/// exceeded.
awaitable<void> inspect_replica(Link& link, std::string_view position, Milliseconds limit,
                                DatabaseReport& report);

}  // namespace aegis::db::postgres
