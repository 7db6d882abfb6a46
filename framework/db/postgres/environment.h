#pragma once

#include <string>
#include <utility>
#include <vector>

#include "db/postgres/config.h"

namespace aegis::db::postgres {

/// What libpq's own programs (psql, pg_dump) read from the environment instead of options, the
/// password among it: names and values. Keywords that have no variable there only tune the
/// connection.
std::vector<std::pair<std::string, std::string>> environment_of(const Config& config);

}  // namespace aegis::db::postgres
