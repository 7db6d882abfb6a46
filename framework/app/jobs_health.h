#pragma once

#include <memory>

#include "aegis/core/settings.h"
#include "aegis/db/database.h"
#include "aegis/health/health.h"

namespace aegis {

/// The component `jobs` of /health: workers that live, and for each queue what waits, what fails,
/// and how late the oldest job is. `database` must outlive the check.
std::unique_ptr<HealthCheck> jobs_health(Database& database, const Settings& settings);

}  // namespace aegis
