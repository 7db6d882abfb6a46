#include "app/worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "aegis/core/clock.h"
#include "aegis/core/log.h"
#include "app/cli.h"
#include "app/database_settings.h"
#include "app/health_server.h"
#include "app/jobs_health.h"
#include "app/migrations_health.h"
#include "app/schedules_health.h"
#include "app/webhook.h"

namespace aegis {

namespace {

using Queue = jobs::WorkerOptions::Queue;

// "default,mail:5"; throws Error(invalid).
std::vector<Queue> read_queues(std::string_view text) {
  std::vector<Queue> queues;
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    Queue queue;
    if (const auto colon = part.rfind(':'); colon != part.npos) {
      const std::string_view number = part.substr(colon + 1);
      const char* end = number.data() + number.size();
      const auto [stop, error] = std::from_chars(number.data(), end, queue.limit);
      if (error != std::errc() || stop != end || queue.limit < 1) {
        throw Error(Errc::invalid, fmt::format("\"{}\": after the colon comes how many jobs of the "
                                               "queue may run at a time, such as mail:5",
                                               part));
      }
      part = part.substr(0, colon);
    }
    if (part.empty()) throw Error(Errc::invalid, "a queue has no name");
    queue.name = std::string(part);
    queues.push_back(std::move(queue));
  }
  return queues;
}

// Those that the application's jobs name.
std::vector<Queue> own_queues(const std::vector<const JobKind*>& kinds) {
  std::vector<Queue> queues;
  for (const JobKind* kind : kinds) {
    if (std::ranges::find(queues, kind->options.queue, &Queue::name) == queues.end()) {
      queues.push_back({.name = std::string(kind->options.queue)});
    }
  }
  return queues;
}

}  // namespace

void check_jobs_settings(Config& config, const Settings& settings) {
  try {
    read_queues(settings.worker_queues);
  } catch (const Error& error) {
    config.reject("WORKER_QUEUES", error.what());
  }
  const std::string& webhook = settings.alert_webhook_url.reveal();
  try {
    if (!webhook.empty()) WebhookUrl{webhook};
  } catch (const Error& error) {
    config.reject("ALERT_WEBHOOK_URL", error.what());
  }
  const std::size_t length = settings.jobs_api_token.reveal().size();
  if (length > 0 && length < 16) {
    config.reject("JOBS_API_TOKEN",
                  "is shorter than 16 characters; make one: openssl rand -hex 16");
  }
}

void apply(const WorkerFlags& flags, Settings& settings) {
  if (flags.queues) settings.worker_queues = *flags.queues;
  if (flags.concurrency)
    settings.worker_concurrency = static_cast<std::uint16_t>(*flags.concurrency);
}

std::unique_ptr<jobs::Worker> make_worker(Runtime& runtime, Database& database, App::Parts& parts,
                                          const Settings& settings) {
  if (parts.jobs.empty()) return nullptr;
  auto queues = read_queues(settings.worker_queues);
  if (queues.empty()) queues = own_queues(parts.jobs);
  auto worker = std::make_unique<jobs::Worker>(
      runtime, database, parts.services, parts.jobs,
      jobs::WorkerOptions{.queues = std::move(queues),
                          .concurrency = settings.worker_concurrency,
                          .lease = settings.worker_lease,
                          .keep_completed = settings.jobs_keep_completed,
                          .keep_cancelled = settings.jobs_keep_failed,
                          .keep_dead = settings.jobs_keep_failed});
  // Some of the time is needed to give back what does not end.
  runtime.on_drain("worker", [own = worker.get(), limit = settings.shutdown_timeout * 3 / 4] {
    return own->drain(limit);
  });
  return worker;
}

void add_health_checks(App::Parts& parts, Database& database, const DatabaseSetup& setup,
                       const Settings& settings) {
  if (!parts.jobs.empty()) parts.health.add(jobs_health(database, settings));
  if (parts.has_schedules()) parts.health.add(schedules_health(database, settings));
  if (setup.migrations()) parts.health.add(migrations_health(database, *setup.migrations()));
}

awaitable<void> prepare(Runtime& runtime, DatabaseSetup& setup, jobs::Worker* worker,
                        schedule::Scheduler* scheduler) {
  co_await setup.run();
  if (worker && !runtime.draining()) worker->start();
  if (scheduler && !runtime.draining()) scheduler->start();
}

int run_worker(App::Parts& parts, const Settings& settings) {
  if (parts.jobs.empty()) {
    fmt::print(stderr, "{} has no jobs: App::jobs adds them.\n", parts.name);
    return exit_usage;
  }
  Runtime runtime({.threads = settings.io_threads, .shutdown_timeout = settings.shutdown_timeout});
  Database database(runtime, database_options(settings));
  DatabaseSetup setup(runtime, database, parts.tables, {.migrations_dir = settings.migrations_dir});
  parts.services.provide(Clock::system());
  parts.use_database(&database);
  add_health_checks(parts, database, setup, settings);
  const auto worker = make_worker(runtime, database, parts, settings);
  runtime.on_stop("database", [&] { return database.close(); });
  const HealthServer health(runtime, parts, setup, settings);
  runtime.spawn(0, prepare(runtime, setup, worker.get(), nullptr), "prepare database");
  return runtime.run();
}

}  // namespace aegis
