#include "app/health_server.h"

#include <fmt/format.h>

#include "app/health_routes.h"

namespace aegis {

HealthServer::HealthServer(Runtime& runtime, App::Parts& parts, const DatabaseSetup& setup,
                           const Settings& settings) {
  if (settings.health_port == 0) return;
  const auto why_not_ready = [&] {
    return runtime.draining() ? "the process shuts down" : setup.why_not_ready();
  };
  add_health_routes(router_, parts.health, why_not_ready, health_kept);
  server_ = std::make_unique<Server>(
      runtime, ServerOptions{.host = settings.host, .port = settings.health_port}, router_,
      parts.services);
  server_->start();
  runtime.on_stop("health", [this] { return server_->drain(); });
}

}  // namespace aegis
