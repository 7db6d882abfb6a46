#pragma once

#include <memory>

#include "aegis/db/database.h"
#include "aegis/health/health.h"

namespace aegis {

/// The database component of /health: unhealthy as well when a model's table or column is missing.
/// `database` must outlive the check.
std::unique_ptr<HealthCheck> database_health(Database& database, std::vector<const Table*> models);

}  // namespace aegis
