#pragma once

#include <memory>

#include "aegis/db/database.h"
#include "aegis/health/health.h"

namespace aegis {

/// The database component of /health. `database` must outlive the check.
std::unique_ptr<HealthCheck> database_health(Database& database);

}  // namespace aegis
