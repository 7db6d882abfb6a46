#include "aegis/app/system_jobs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aegis/core/blocking.h"
#include "aegis/core/log.h"
#include "aegis/core/settings.h"
#include "aegis/db/database.h"
#include "aegis/health/health.h"
#include "aegis/schedule/schedule.h"
#include "app/database_settings.h"
#include "app/webhook.h"
#include "db/backup.h"
#include "schedule/store.h"

namespace aegis {

namespace {

/// What a SystemStatusCheck found: its output, with which the next one compares.
struct SystemStatus {
  std::string status = "healthy";
  std::string told = "healthy";         ///< what people have heard last
  std::vector<std::string> problems{};  ///< "database is …", of components that are not well

  AEGIS_FIELDS(SystemStatus, (status), (told), (problems))
};

/// What a webhook gets. Chat systems show `text`.
struct Alert {
  std::string text{};
  std::string service{};
  std::string status{};
  std::string previous{};
  std::vector<std::string> problems{};

  AEGIS_FIELDS(Alert, (text), (service), (status), (previous), (problems))
};

void collect(const ComponentHealth& part, const std::string& path,
             std::vector<std::string>& problems) {
  if (part.status > HealthStatus::info) {
    problems.push_back(fmt::format("{} is {}: {}", path, to_string(part.status), part.message));
  }
  for (const auto& child : part.sub_components) {
    collect(child, path + "/" + child.name, problems);
  }
}

/// That something is worth knowing is no reason to wake people.
std::string_view status_of(const HealthReport& report) {
  const HealthStatus status = report.status();
  return to_string(status == HealthStatus::info ? HealthStatus::healthy : status);
}

/// What the newest run before this one found that found anything: one that was killed, or took too
/// long, did not.
awaitable<SystemStatus> status_before(JobContext& job) {
  constexpr std::int64_t looked_at = 100;
  SystemStatus before;
  const auto run = co_await scheduled_run(job);
  if (!run) co_return before;
  schedule::Store store(job.database(), {});
  for (const auto& other : co_await store.history(run->schedule, looked_at)) {
    if (other.slot >= run->slot || !other.output) continue;
    if (!from_json(*other.output, before).none()) before = {};
    break;
  }
  co_return before;
}

}  // namespace

awaitable<void> SystemStatusCheck::run(JobContext& job) {
  const HealthReport report = co_await job.service<HealthRegistry>().check();
  SystemStatus now{.status = std::string(status_of(report))};
  for (const auto& part : report.components) collect(part, part.name, now.problems);

  const SystemStatus before = co_await status_before(job);
  // What is out of order is told at once; all else when it was seen twice, for a busy minute or two
  // are no news.
  now.told = before.told;
  const bool lasts = now.status == "unhealthy" || now.status == before.status;
  if (now.status != before.told && lasts) now.told = now.status;
  job.output(now);
  if (now.told == before.told) co_return;

  Alert alert{.service = report.service,
              .status = now.status,
              .previous = before.told,
              .problems = now.problems};
  alert.text =
      fmt::format("{} is {}, and was {} before.{}{}", alert.service, alert.status, alert.previous,
                  now.problems.empty() ? "" : " ", fmt::join(now.problems, " "));
  if (now.status == "healthy") {
    log::info("the system is well again", "was", alert.previous);
  } else {
    log::error("the system's health has changed", "status", alert.status, "was", alert.previous,
               "problems", fmt::format("{}", fmt::join(now.problems, "; ")));
  }
  if (job.service<Settings>().alert_webhook_url.reveal().empty()) co_return;
  co_await job.db().enqueue(SendAlert{.body = to_json(alert)});
}

awaitable<void> SendAlert::run(JobContext& job) {
  const std::string& url = job.service<Settings>().alert_webhook_url.reveal();
  if (url.empty()) {
    job.discard("ALERT_WEBHOOK_URL is not set any more");
    co_return;
  }
  co_await post_json(WebhookUrl(url), body, std::chrono::seconds(20));
}

awaitable<void> DatabaseBackup::run(JobContext& job) {
  const Settings& settings = job.service<Settings>();
  if (settings.backup_dir.empty()) {
    job.output(std::string("BACKUP_DIR is not set: nothing to do"));
    co_return;
  }
  const db::BackupPlan plan{.database = database_options(settings),
                            .folder = settings.backup_dir,
                            .keep = settings.backup_keep};
  const std::string file = co_await run_blocking([plan] { return db::back_up(plan); });
  log::info("the database is backed up", "file", file);
  job.output(file);
}

}  // namespace aegis
