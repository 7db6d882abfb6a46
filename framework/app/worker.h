#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aegis/core/config.h"
#include "app/database_setup.h"
#include "app/parts.h"
#include "jobs/worker.h"
#include "schedule/scheduler.h"

namespace aegis {

/// The worker that the settings ask for, which drains with the runtime; null for an application
/// without jobs. All must outlive it.
std::unique_ptr<jobs::Worker> make_worker(Runtime& runtime, Database& database, App::Parts& parts,
                                          const Settings& settings);

/// What a process that works on the database tells of it in its health.
void add_health_checks(App::Parts& parts, Database& database, const DatabaseSetup& setup,
                       const Settings& settings);

/// Waits for the database, then starts worker and scheduler, those that are given.
awaitable<void> prepare(Runtime& runtime, DatabaseSetup& setup, jobs::Worker* worker,
                        schedule::Scheduler* scheduler);

/// What the command line says instead of the settings.
struct WorkerFlags {
  std::optional<std::string> queues{};
  std::optional<int> concurrency{};
};
void apply(const WorkerFlags& flags, Settings& settings);

/// Notes in `config` what is wrong with the settings of worker and jobs.
void check_jobs_settings(Config& config, const Settings& settings);

/// Runs jobs and nothing else until it is told to stop; answers the exit code.
int run_worker(App::Parts& parts, const Settings& settings);

}  // namespace aegis
