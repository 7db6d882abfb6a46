#pragma once

#include <functional>

#include "aegis/health/health.h"
#include "aegis/http/router.h"

namespace aegis {

/// Adds /livez (touches nothing), /readyz (503 while `ready` says no), /health and
/// /health/detailed (503 when unhealthy). `health` must outlive the router.
void add_health_routes(Router& router, const HealthRegistry& health, std::function<bool()> ready);

}  // namespace aegis
