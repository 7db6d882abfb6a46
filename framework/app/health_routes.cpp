#include "app/health_routes.h"

#include <utility>
#include <vector>

#include "app/shared_health.h"

namespace aegis {

namespace {

// Probes must not be answered by a cache in between.
Response fresh(Response response) {
  response.set_header("Cache-Control", "no-store");
  return response;
}

Response answer(const HealthReport& report, bool detailed) {
  return fresh(Response::json(report.json(detailed), report.healthy() ? 200 : 503));
}

struct Live {
  awaitable<Response> operator()() const { co_return fresh(Response::text("alive\n")); }
};

struct Ready {
  std::function<std::string()> why_not_ready;
  awaitable<Response> operator()() const {
    const std::string reason = why_not_ready();
    if (reason.empty()) co_return fresh(Response::text("ready\n"));
    co_return fresh(Response::text("not ready: " + reason + "\n", 503));
  }
};

struct Probe {
  SharedHealth health;
  std::function<std::string()> why_not_ready;
  awaitable<Response> operator()() const {
    HealthReport report = *co_await health.report();
    std::erase_if(report.components, [](const auto& component) { return component.shared; });
    if (std::string reason = why_not_ready(); !reason.empty()) {
      report.components.push_back(
          {.name = "readiness", .status = HealthStatus::unhealthy, .message = std::move(reason)});
    }
    co_return answer(report, false);
  }
};

struct Report {
  SharedHealth health;
  bool detailed;
  awaitable<Response> operator()() const { co_return answer(*co_await health.report(), detailed); }
};

}  // namespace

void add_health_routes(Router& router, const HealthRegistry& checks,
                       std::function<std::string()> why_not_ready, std::chrono::milliseconds keep) {
  const SharedHealth health(checks, keep);
  router.get("/livez", Live{}).summary("Whether the process runs").tag("health");
  router.get("/readyz", Ready{why_not_ready}).summary("Whether requests are welcome").tag("health");
  router.get("/health", Report{health, false}).summary("Health in brief").tag("health");
  router.get("/health/detailed", Report{health, true})
      .summary("Health of every component")
      .tag("health");
  router.get("/health/probe", Probe{health, std::move(why_not_ready)})
      .summary("Whether this process can do its work")
      .tag("health");
}

}  // namespace aegis
