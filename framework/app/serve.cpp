#include "app/serve.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "aegis/core/clock.h"
#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/http/server.h"

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

ServerOptions server_options(const Settings& settings, bool next_free_port) {
  return {.host = settings.host,
          .port = settings.port,
          .next_free_port = next_free_port,
          .max_header_bytes = settings.http_max_header_bytes,
          .max_body_bytes = settings.http_max_body_bytes,
          .max_connections = settings.http_max_connections,
          .max_in_flight = settings.http_max_in_flight,
          .header_timeout = settings.http_header_timeout,
          .body_timeout = settings.http_body_timeout,
          .handler_timeout = settings.http_handler_timeout,
          .idle_timeout = settings.http_idle_timeout,
          // Nobody sees the lines at a higher level: spare the clock.
          .access_log = settings.access_log && log::level() <= log::Level::info};
}

// Creates what is missing in the database; tries again for as long as it is away, so that the
// process can start first, answer what it can and say in /health what is wrong.
awaitable<void> prepare_database(Database& database, std::vector<const Table*> tables,
                                 std::atomic<bool>& ready) {
  std::chrono::milliseconds pause{250};
  std::string told;
  for (;;) {
    try {
      co_await database.create_all(tables);
      ready = true;
      if (!told.empty()) log::info("the database is ready");
      co_return;
    } catch (const Error& error) {
      if (error.code() == Errc::internal || error.code() == Errc::invalid) throw;
      if (told != error.what()) log::error("the database is not ready", "error", error.what());
      told = error.what();
    }
    co_await Clock::system().sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(5000));
  }
}

std::string base_url(const Settings& settings, const Server& server) {
  const bool any = settings.host == "0.0.0.0" || settings.host == "::";
  const bool v6 = settings.host.find(':') != std::string::npos;
  const std::string host = any ? "localhost" : v6 ? "[" + settings.host + "]" : settings.host;
  return fmt::format("http://{}:{}", host, server.port());
}

// {"foreign_keys": 1, "synchronous": "FULL"}: each value as text.
std::map<std::string, std::string> connect_args(const std::string& text) {
  std::map<std::string, std::string> args;
  boost::system::error_code bad;
  const boost::json::value parsed = boost::json::parse(text, bad);
  if (bad || !parsed.is_object()) {
    throw Error(Errc::invalid,
                "DATABASE_CONNECT_ARGS must be a JSON object, such as {\"foreign_keys\": 1}");
  }
  for (const auto& [key, value] : parsed.get_object()) {
    args[key] = value.is_string() ? std::string(value.get_string()) : serialize(value);
  }
  return args;
}

}  // namespace

DatabaseOptions database_options(const Settings& settings) {
  return {.url = settings.database_url,
          .connect_args = connect_args(settings.database_connect_args),
          .echo = settings.database_engine_echo,
          .slow_transaction = settings.database_slow_transaction};
}

int serve(App::Parts& parts, const Settings& settings, bool next_free_port) {
  std::atomic<bool> tables_exist = false;
  Runtime runtime({.threads = settings.io_threads, .shutdown_timeout = settings.shutdown_timeout});
  Database database(runtime, database_options(settings));

  parts.services.provide(Clock::system());
  parts.add_routes([&] { return tables_exist && !runtime.draining(); });
  parts.use_database(database);

  Server server(runtime, server_options(settings, next_free_port), parts.router, parts.services);
  parts.health.add(std::make_unique<ServerHealth>(server));
  server.start();
  runtime.on_drain("http", [&] { return server.drain(); });
  runtime.on_stop("database", [&] { return database.close(); });
  runtime.spawn(0, prepare_database(database, parts.tables, tables_exist), "prepare database");

  const std::string url = base_url(settings, server);
  fmt::print("{} {}\n  API     {}\n  Docs    {}/docs\n  Health  {}/health/detailed\n", parts.name,
             parts.version, url, url, url);
  std::fflush(stdout);
  return runtime.run();
}

}  // namespace aegis
