#include "app/jobs_health.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/store.h"

namespace aegis {

namespace {

/// With fewer a single failure would be a high rate.
constexpr std::int64_t enough_attempts = 20;

class JobsHealth : public HealthCheck {
 public:
  JobsHealth(Database& database, const Settings& settings)
      : store_(database),
        late_warning_(settings.jobs_late_warning),
        late_unhealthy_(settings.jobs_late_unhealthy),
        failure_warning_(settings.jobs_failure_warning),
        failure_unhealthy_(settings.jobs_failure_unhealthy) {}

  std::string_view name() const override { return "jobs"; }
  bool shared() const override { return true; }

  awaitable<ComponentHealth> check() override {
    const jobs::Overview found = co_await store_.overview();
    ComponentHealth health{.name = "jobs"};
    health.metadata.emplace_back("workers", found.workers);
    health.metadata.emplace_back("running", found.running);
    std::int64_t waiting = 0;
    for (const auto& queue : found.queues) {
      waiting += queue.available;
      health.sub_components.push_back(of(queue));
    }
    health.message = fmt::format("{} {}, {} jobs running, {} waiting", found.workers,
                                 found.workers == 1 ? "worker" : "workers", found.running, waiting);
    if (found.workers == 0 && waiting > 0) {
      health.status = HealthStatus::warning;
      health.message =
          fmt::format("{} jobs wait and no worker runs: start one (serve or worker)", waiting);
    }
    co_return health;
  }

 private:
  ComponentHealth of(const jobs::QueueOverview& queue) const {
    ComponentHealth part{.name = queue.name};
    part.metadata.emplace_back("available", queue.available);
    part.metadata.emplace_back("retryable", queue.retryable);
    part.metadata.emplace_back("dead_last_hour", queue.dead);
    part.metadata.emplace_back("oldest_waits_ms", queue.oldest_ms);
    part.metadata.emplace_back("attempts_lately", queue.attempts);
    part.metadata.emplace_back("failed_lately", queue.failed);
    const std::chrono::milliseconds late(queue.oldest_ms);
    const auto more_fail_than = [&](std::int64_t percent) {
      return queue.attempts >= enough_attempts && queue.failed * 100 > queue.attempts * percent;
    };
    if (queue.paused) {
      part.status = HealthStatus::info;
      part.message = "paused";
    } else if (late > late_warning_) {
      part.status = late > late_unhealthy_ ? HealthStatus::unhealthy : HealthStatus::warning;
      part.message = fmt::format(
          "a job waits for {} s to be started: too few workers, or none that knows its "
          "kind or serves this queue",
          queue.oldest_ms / 1000);
    }
    const bool too_many = more_fail_than(failure_warning_);
    if (too_many && part.status < HealthStatus::unhealthy && !queue.paused) {
      part.status =
          more_fail_than(failure_unhealthy_) ? HealthStatus::unhealthy : HealthStatus::warning;
      part.message +=
          fmt::format("{}{} of {} attempts failed lately; `jobs list --queue {}` says why",
                      part.message.empty() ? "" : "; ", queue.failed, queue.attempts, queue.name);
    } else if (part.message.empty() && queue.dead > 0) {
      part.status = HealthStatus::warning;
      part.message = fmt::format("{} jobs died in the last hour", queue.dead);
    }
    return part;
  }

  jobs::Store store_;
  std::chrono::milliseconds late_warning_, late_unhealthy_;
  std::int64_t failure_warning_, failure_unhealthy_;  // in percent
};

}  // namespace

std::unique_ptr<HealthCheck> jobs_health(Database& database, const Settings& settings) {
  return std::make_unique<JobsHealth>(database, settings);
}

}  // namespace aegis
