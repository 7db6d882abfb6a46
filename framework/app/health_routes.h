#pragma once

#include <functional>
#include <string>

#include "aegis/health/health.h"
#include "aegis/http/router.h"

namespace aegis {

/// Adds /livez (touches nothing), /readyz (503 with what `why_not_ready` says unless that is
/// empty), /health and /health/detailed (503 when unhealthy). `health` must outlive the router.
void add_health_routes(Router& router, const HealthRegistry& health,
                       std::function<std::string()> why_not_ready);

}  // namespace aegis
