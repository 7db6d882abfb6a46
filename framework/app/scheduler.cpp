#include "app/scheduler.h"

#include <fmt/core.h>

#include "aegis/core/clock.h"
#include "aegis/core/runtime.h"
#include "app/cli.h"
#include "app/database_settings.h"
#include "app/database_setup.h"
#include "app/health_server.h"
#include "app/worker.h"

namespace aegis {

std::unique_ptr<schedule::Scheduler> make_scheduler(Runtime& runtime, Database& database,
                                                    App::Parts& parts, const Settings& settings) {
  if (!parts.has_schedules()) return nullptr;
  auto scheduler = std::make_unique<schedule::Scheduler>(
      database, parts.jobs, parts.schedules,
      schedule::SchedulerOptions{.keep_runs = settings.schedules_keep_runs});
  runtime.on_drain("scheduler", [own = scheduler.get()] { return own->drain(); });
  return scheduler;
}

int run_scheduler(App::Parts& parts, const Settings& settings) {
  if (!parts.has_schedules()) {
    fmt::print(stderr, "{} has no schedules: App::schedules adds them.\n", parts.name);
    return exit_usage;
  }
  Runtime runtime({.threads = 1, .shutdown_timeout = settings.shutdown_timeout});
  Database database(runtime, database_options(settings));
  DatabaseSetup setup(runtime, database, parts.tables, {.migrations_dir = settings.migrations_dir});
  parts.services.provide(Clock::system());
  parts.use_database(&database);
  add_health_checks(parts, database, setup, settings);
  const auto scheduler = make_scheduler(runtime, database, parts, settings);
  runtime.on_stop("database", [&] { return database.close(); });
  const HealthServer health(runtime, parts, setup, settings);
  runtime.spawn(0, prepare(runtime, setup, nullptr, scheduler.get()), "prepare database");
  return runtime.run();
}

}  // namespace aegis
