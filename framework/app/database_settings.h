#pragma once

#include "aegis/core/config.h"
#include "aegis/db/database.h"

namespace aegis {

/// The database options that the settings ask for. Throws Error(invalid).
DatabaseOptions database_options(const Settings& settings);

/// Notes in `config` what is wrong with the settings of the database, so that it is told together
/// with all others. Opens nothing.
void check_database_settings(Config& config, const Settings& settings);

}  // namespace aegis
