#pragma once

#include <memory>

#include "aegis/core/settings.h"
#include "aegis/db/database.h"
#include "aegis/health/health.h"

namespace aegis {

/// The component `schedules` of /health: how many there are, and a warning that names those which
/// should have been fired, and those that cannot be read. `database` must outlive the check.
std::unique_ptr<HealthCheck> schedules_health(Database& database, const Settings& settings);

}  // namespace aegis
