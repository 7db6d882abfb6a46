#include "app/jobs_commands.h"

#include <fmt/format.h>

#include "aegis/core/json.h"
#include "app/ask.h"
#include "app/cli.h"
#include "app/progress_bar.h"

namespace aegis::commands {
namespace {

jobs::Overview overview(const Settings& settings) {
  return ask<jobs::Overview>(settings, [](Database& db) -> awaitable<jobs::Overview> {
    jobs::Store store(db);
    co_return co_await store.overview();
  });
}

void print_field(std::string_view name, std::string_view value) {
  if (!value.empty()) fmt::print("{:<13} {}\n", name, value);
}

int no_such_job(std::int64_t id) {
  fmt::print(stderr, "There is no job {}.\n", id);
  return exit_failed;
}

}  // namespace

int jobs_list(const Settings& settings, const jobs::JobFilter& chosen, std::int64_t limit,
              bool json) {
  const auto found = ask<std::vector<jobs::JobInfo>>(
      settings, [&](Database& db) { return jobs::list(db, chosen, limit); });
  if (json) {
    fmt::print("{}\n", to_json(found));
    return exit_ok;
  }
  if (found.empty()) fmt::print("No such jobs.\n");
  if (!found.empty()) {
    fmt::print("{:>8}  {:<10} {:<24} {:<12} {:>8}  {:<19}  {}\n", "ID", "STATE", "KIND", "QUEUE",
               "ATTEMPT", "RUN AT (UTC)", "LAST ERROR");
  }
  for (const auto& job : found) {
    fmt::print("{:>8}  {:<10} {:<24} {:<12} {:>8}  {:<19}  {}\n", job.id, job.state,
               brief(job.kind, 24), brief(job.queue, 12),
               fmt::format("{}/{}", job.attempt, job.max_attempts), brief(job.run_at),
               brief(job.error.value_or(""), 60));
  }
  return exit_ok;
}

int jobs_show(const Settings& settings, std::int64_t id, bool json) {
  std::vector<std::string> lines;
  const auto found = ask<std::vector<jobs::JobInfo>>(
      settings, [&](Database& db) -> awaitable<std::vector<jobs::JobInfo>> {
        lines = co_await jobs::lines(db, id);
        co_return co_await jobs::list(db, {.id = id}, 1);
      });
  if (found.empty()) return no_such_job(id);
  const auto& job = found.front();
  if (json) {
    fmt::print("{}\n", to_json(job));
    return exit_ok;
  }
  const auto moment = [](const std::optional<Timestamp>& at) {
    return at ? to_string(*at) : std::string();
  };
  print_field("job", fmt::format("{} {}", job.id, job.kind));
  print_field("state", job.state);
  print_field("queue", fmt::format("{}, priority {}", job.queue, job.priority));
  print_field("attempt", fmt::format("{} of {}", job.attempt, job.max_attempts));
  print_field("arguments", job.arguments);
  print_field("tags", job.tags == "[]" ? "" : job.tags);
  print_field("enqueued", to_string(job.created_at));
  print_field("run at", to_string(job.run_at));
  print_field("started", moment(job.started_at));
  print_field("finished", moment(job.finished_at));
  if (job.progress) print_field("progress", fmt::format("{:.0f} %", *job.progress * 100));
  print_field("message", job.message.value_or(""));
  print_field("last error", job.error.value_or(""));
  print_field("output", job.output.value_or(""));
  for (const auto& line : lines) print_field("log", line);
  return exit_ok;
}

int jobs_change(const Settings& settings, jobs::JobAction action, const jobs::JobFilter& chosen,
                const jobs::When& when) {
  const auto changed = ask<std::int64_t>(settings, [&](Database& db) -> awaitable<std::int64_t> {
    ProgressBar bar("jobs", co_await jobs::count(db, chosen));
    const auto show = [&](std::int64_t done) { bar.show(done); };
    co_return co_await jobs::change(db, action, chosen, show, when);
  });
  constexpr std::array<std::string_view, 4> done{"to be run again", "cancelled", "deleted",
                                                 "rescheduled"};
  fmt::print("{} {}: {}\n", changed, changed == 1 ? "job" : "jobs",
             done.at(static_cast<std::size_t>(action)));
  return changed > 0 ? exit_ok : exit_failed;
}

int jobs_stats(const Settings& settings, bool json) {
  const auto found = overview(settings);
  if (json) {
    fmt::print("{}\n", to_json(found));
  } else {
    fmt::print("{} workers, {} jobs running\n", found.workers, found.running);
    for (const auto& queue : found.queues) {
      fmt::print(
          "{}{}: {} available (the oldest for {} s), {} to be tried again, {} dead in the "
          "last hour\n",
          queue.name, queue.paused ? " (paused)" : "", queue.available, queue.oldest_ms / 1000,
          queue.retryable, queue.dead);
    }
  }
  return exit_ok;
}

int queues_list(const Settings& settings, bool json) {
  const auto found = overview(settings);
  if (json) {
    fmt::print("{}\n", to_json(found.queues));
    return exit_ok;
  }
  fmt::print("{:<24} {:>10} {:>10} {:>10}  {}\n", "QUEUE", "AVAILABLE", "RETRYABLE", "DEAD 1 H",
             "");
  for (const auto& queue : found.queues) {
    fmt::print("{:<24} {:>10} {:>10} {:>10}  {}\n", brief(queue.name, 24), queue.available,
               queue.retryable, queue.dead, queue.paused ? "paused" : "");
  }
  return exit_ok;
}

int queues_pause(const Settings& settings, const std::string& queue, bool paused) {
  with_database(database_options(settings), [&](Runtime&, Database& database) -> awaitable<void> {
    co_await (paused ? jobs::pause(database, queue) : jobs::resume(database, queue));
  });
  fmt::print("{} is {}\n", queue, paused ? "paused" : "not paused");
  return exit_ok;
}

}  // namespace aegis::commands
