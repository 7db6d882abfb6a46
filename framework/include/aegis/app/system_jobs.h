#pragma once

#include <string>

#include "aegis/jobs/job.h"

/// Jobs for every application, to be scheduled by those that want them: docs/scheduling.md.
///
///   s.every<SystemStatusCheck>("system-status", 1min).overlap(Overlap::skip);
///   s.cron<DatabaseBackup>("database-backup", "0 2 * * *");
namespace aegis {

/// Runs the checks of /health and tells when the status has changed: in the log, and, where
/// ALERT_WEBHOOK_URL is set, to that URL, by a SendAlert. Unhealthy is told at once, a warning, or
/// that all is well again, when it was so twice in a row.
struct SystemStatusCheck {
  static constexpr JobOptions options{.max_attempts = 1, .timeout = std::chrono::minutes(1)};

  AEGIS_FIELDS(SystemStatusCheck)
  awaitable<void> run(JobContext& job);
};

/// Posts JSON to ALERT_WEBHOOK_URL, again and again for about a day until it is taken (2xx).
struct SendAlert {
  static constexpr JobOptions options{.max_attempts = 17, .timeout = std::chrono::seconds(30)};

  std::string body{};

  AEGIS_FIELDS(SendAlert, (body))
  awaitable<void> run(JobContext& job);
};

/// Copies the database into BACKUP_DIR and keeps the newest BACKUP_KEEP copies: SQLite by its
/// online backup, PostgreSQL by pg_dump. Does nothing where BACKUP_DIR is not set.
struct DatabaseBackup {
  static constexpr JobOptions options{.max_attempts = 3, .timeout = std::chrono::hours(6)};

  AEGIS_FIELDS(DatabaseBackup)
  awaitable<void> run(JobContext& job);
};

}  // namespace aegis
