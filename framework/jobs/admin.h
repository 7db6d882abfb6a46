#pragma once

#include <functional>
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
  std::optional<std::string> tag{};
  std::optional<std::int64_t> id{};
  std::optional<std::int64_t> below{};  ///< with a smaller id: older ones

  bool everything() const { return !state && !kind && !queue && !tag && !id && !below; }
};

/// The newest first, at most `limit` of them.
awaitable<std::vector<JobInfo>> list(Database& db, JobFilter filter, std::int64_t limit);
awaitable<std::int64_t> count(Database& db, JobFilter filter);
/// The lines it logged.
awaitable<std::vector<std::string>> lines(Database& db, std::int64_t id);

/// What is done to many jobs.
enum class JobAction : std::uint8_t {
  retry,   ///< those that failed, wait for later or are finished: available now, with an attempt
           ///< more if they had used them up; of many, when no state is given, only those
           ///< that are dead, cancelled or retryable
  cancel,  ///< those that wait; the workers of those that run are asked to stop them
  erase,   ///< those that do not run, and that no others wait for
  reschedule,  ///< those that wait: to When; blocked ones still wait for the others
};

/// A moment, or how long from now.
struct When {
  std::optional<Timestamp> at{};
  std::chrono::milliseconds delay{};
};

/// Does it to all matching jobs, the newest first, some hundreds in a transaction, and answers how
/// many it changed: those that are in no state for it stay as they are. `tell`, if given, is called
/// after each transaction with how many jobs were looked at so far.
awaitable<std::int64_t> change(Database& db, JobAction action, JobFilter filter,
                               std::function<void(std::int64_t)> tell = nullptr, When when = {});

/// Nothing of the queue is started until resume(); what runs goes on.
awaitable<void> pause(Database& db, std::string queue);
awaitable<void> resume(Database& db, std::string queue);

}  // namespace aegis::jobs
