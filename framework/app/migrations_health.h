#pragma once

#include <memory>

#include "aegis/db/database.h"
#include "aegis/health/health.h"
#include "db/migrations/folder.h"

namespace aegis {

/// The migrations component of /health: unhealthy while the database lacks migrations, a warning
/// when it was migrated by other files than these, or by more. Both must outlive the check.
std::unique_ptr<HealthCheck> migrations_health(Database& database,
                                               const db::MigrationFolder& folder);

}  // namespace aegis
