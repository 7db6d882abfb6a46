#include "app/serve.h"

#include <fmt/core.h>

#include <memory>
#include <optional>
#include <utility>

#include "aegis/core/clock.h"
#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/http/server.h"
#include "app/database_settings.h"
#include "app/database_setup.h"
#include "app/health_routes.h"
#include "app/scheduler.h"
#include "app/worker.h"
#include "http/inherited_socket.h"

namespace aegis {

namespace {

class ServerHealth : public HealthCheck {
 public:
  explicit ServerHealth(const Server& server) : server_(server) {}

  std::string_view name() const override { return "http"; }

  awaitable<ComponentHealth> check() override {
    const ServerStats stats = server_.stats();
    ComponentHealth health{.name = "http", .message = "listening"};
    const auto add = [&](std::string key, auto value) {
      health.metadata.emplace_back(std::move(key), static_cast<std::int64_t>(value));
    };
    add("port", server_.port());
    add("connections_open", stats.connections_open);
    add("connections_accepted", stats.connections_accepted);
    add("connections_refused", stats.connections_refused);
    add("requests", stats.requests);
    add("requests_in_flight", stats.in_flight);
    add("server_errors", stats.server_errors);
    add("timeouts", stats.timeouts);
    co_return health;
  }

 private:
  const Server& server_;
};

/// Only of an application that needs it.
struct DatabaseSide {
  DatabaseSide(Runtime& runtime, App::Parts& parts, const Settings& settings, bool upgrade)
      : database(runtime, database_options(settings)),
        setup(runtime, database, parts.tables,
              {.migrations_dir = settings.migrations_dir, .upgrade = upgrade}) {}

  Database database;
  DatabaseSetup setup;
};

ServerOptions server_options(const Settings& settings, bool next_free_port, int socket) {
  return {.host = settings.host,
          .port = settings.port,
          .next_free_port = next_free_port,
          .socket = socket,
          .max_header_bytes = settings.http_max_header_bytes,
          .max_body_bytes = settings.http_max_body_bytes,
          .max_connections = settings.http_max_connections,
          .max_in_flight = settings.http_max_in_flight,
          .header_timeout = settings.http_header_timeout,
          .body_timeout = settings.http_body_timeout,
          .handler_timeout = settings.http_handler_timeout,
          .idle_timeout = settings.http_idle_timeout,
          .write_timeout = settings.http_write_timeout,
          // Nobody sees the lines at a higher level: spare the clock.
          .access_log = settings.access_log && log::level() <= log::Level::info};
}

std::string base_url(const Settings& settings, const Server& server) {
  const bool any = settings.host == "0.0.0.0" || settings.host == "::";
  const bool v6 = settings.host.find(':') != std::string::npos;
  const std::string host = any ? "localhost" : v6 ? "[" + settings.host + "]" : settings.host;
  return fmt::format("http://{}:{}", host, server.port());
}

}  // namespace

int serve(App::Parts& parts, const Settings& settings, const ServeOptions& options) {
  const int socket = http::inherited_socket();
  Runtime runtime({.threads = settings.io_threads,
                   .shutdown_delay = settings.shutdown_delay,
                   .shutdown_timeout = settings.shutdown_timeout});
  std::optional<DatabaseSide> side;

  parts.services.provide(Clock::system());
  const auto why_not_ready = [&] {
    return runtime.draining() ? std::string("the service shuts down")
           : side             ? side->setup.why_not_ready()
                              : std::string();
  };
  parts.add_routes(why_not_ready, health_kept);
  if (options.with_database || parts.needs_database()) {
    side.emplace(runtime, parts, settings, options.upgrade);
  }
  parts.use_database(side ? &side->database : nullptr);
  if (side) add_health_checks(parts, side->database, side->setup, settings);

  Server server(runtime, server_options(settings, options.next_free_port, socket), parts.router,
                parts.services);
  parts.health.add(std::make_unique<ServerHealth>(server));
  server.start();
  runtime.on_drain("http", [&] { return server.drain(settings.shutdown_delay); });
  std::unique_ptr<schedule::Scheduler> scheduler;
  std::unique_ptr<jobs::Worker> worker;
  if (side) {
    if (options.everything) {
      scheduler = make_scheduler(runtime, side->database, parts, settings);
      worker = make_worker(runtime, side->database, parts, settings);
    }
    runtime.on_stop("database", [&] { return side->database.close(); });
    runtime.spawn(0, prepare(runtime, side->setup, worker.get(), scheduler.get()),
                  "prepare database");
  }

  const std::string url = base_url(settings, server);
  fmt::print("{} {}\n  API     {}\n  Docs    {}/docs\n  Health  {}/health/detailed\n", parts.name,
             parts.version, url, url, url);
  std::fflush(stdout);
  return runtime.run();
}

}  // namespace aegis
