#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jobs/store.h"

/// What people do with jobs and queues.
namespace aegis::jobs {

/// A job, finished or not.
struct JobInfo {
  std::int64_t id{};
  std::string kind{};
  std::string queue{};
  std::string state{};
  std::int32_t priority{};
  std::int32_t attempt{};
  std::int32_t max_attempts{};
  Timestamp run_at{};
  Timestamp created_at{};
  std::optional<Timestamp> started_at{};
  std::optional<Timestamp> finished_at{};
  std::string arguments{};
  std::string tags{};
  std::optional<double> progress{};
  std::optional<std::string> message{};
  std::optional<std::string> error{};
  std::optional<std::string> output{};

  AEGIS_FIELDS(JobInfo, (id), (kind), (queue), (state), (priority), (attempt), (max_attempts),
               (run_at), (created_at), (started_at), (finished_at), (arguments), (tags), (progress),
               (message), (error), (output))
};

/// Which jobs; what is not given does not matter.
struct JobFilter {
  std::optional<std::string> state{};
  std::optional<std::string> kind{};
  std::optional<std::string> queue{};
  std::optional<std::int64_t> id{};
  std::int64_t limit = 50;
};

/// The newest first.
awaitable<std::vector<JobInfo>> list(Database& db, JobFilter filter);
/// The lines it logged.
awaitable<std::vector<std::string>> lines(Database& db, std::int64_t id);

// Each answers how many of the matching jobs it changed; those that are in no state for it stay as
// they are.

/// Makes jobs that failed, wait for later or are finished available now, with an attempt more if
/// they had used them up.
awaitable<std::int64_t> retry(Database& db, JobFilter filter);
/// Cancels those that wait, and asks the workers of those that run to stop them.
awaitable<std::int64_t> cancel(Database& db, JobFilter filter);
/// Deletes those that do not run.
awaitable<std::int64_t> erase(Database& db, JobFilter filter);

/// Nothing of the queue is started until resume(); what runs goes on.
awaitable<void> pause(Database& db, std::string queue);
awaitable<void> resume(Database& db, std::string queue);

}  // namespace aegis::jobs
