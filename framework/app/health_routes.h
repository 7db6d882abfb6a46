#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "aegis/health/health.h"
#include "aegis/http/router.h"

namespace aegis {

/// Adds /livez (touches nothing), /readyz (503 with what `why_not_ready` says unless that is
/// empty), /health and /health/detailed (503 when unhealthy), and /health/probe (503 when not ready
/// or unhealthy, but for what all processes share). The last three make one check for all who ask
/// at a time, and keep it for `keep`. `checks` must outlive the router.
void add_health_routes(Router& router, const HealthRegistry& checks,
                       std::function<std::string()> why_not_ready, std::chrono::milliseconds keep);

/// For how long a process that serves keeps a check.
inline constexpr std::chrono::milliseconds health_kept = std::chrono::seconds(1);

}  // namespace aegis
