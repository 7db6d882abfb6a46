#pragma once

#include "db/driver.h"

namespace aegis::db::postgres {

/// Asks the server about itself and its tables. Throws Error.
awaitable<void> inspect_server(Link& link, DatabaseReport& report);

}  // namespace aegis::db::postgres
