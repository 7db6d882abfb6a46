#include "app/health_routes.h"

#include <utility>

namespace aegis {

namespace {

// Probes must not be answered by a cache in between.
Response fresh(Response response) {
  response.set_header("Cache-Control", "no-store");
  return response;
}

awaitable<Response> report(const HealthRegistry& health, bool detailed) {
  const HealthReport found = co_await health.check();
  co_return fresh(Response::json(found.json(detailed), found.healthy() ? 200 : 503));
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

struct Report {
  const HealthRegistry* health;
  bool detailed;
  awaitable<Response> operator()() const { return report(*health, detailed); }
};

}  // namespace

void add_health_routes(Router& router, const HealthRegistry& health,
                       std::function<std::string()> why_not_ready) {
  router.get("/livez", Live{}).summary("Whether the process runs").tag("health");
  router.get("/readyz", Ready{std::move(why_not_ready)})
      .summary("Whether requests are welcome")
      .tag("health");
  router.get("/health", Report{&health, false}).summary("Health in brief").tag("health");
  router.get("/health/detailed", Report{&health, true})
      .summary("Health of every component")
      .tag("health");
}

}  // namespace aegis
