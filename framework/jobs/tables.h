#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "aegis/db/table.h"

/// The tables of the jobs room. Jobs that are finished move from one table to the other, so that
/// the table that workers search stays as small as the work that is left. Their states are not
/// checked by the database: SQLite builds the list of a CHECK (state IN (…)) anew for each row,
/// which was half of what an enqueue took there.
namespace aegis::jobs {

/// A job that is not finished. Its states: available (may start), scheduled (later), retryable
/// (later, and failed before), blocked (comes after others: JobAfter), running.
struct WaitingJob {
  std::optional<std::int64_t> id{};
  std::string kind{};
  std::string queue{};
  std::string state{};
  std::int16_t priority{};
  Timestamp run_at{};
  Timestamp created_at{};
  std::int32_t attempt{};  ///< of the one that runs, or the last one that counted; 0: none yet
  std::int64_t starts{};   ///< how often it was given to a worker; never goes down
  std::int32_t max_attempts{};
  std::chrono::milliseconds timeout{};
  std::optional<Timestamp> expires_at{};
  std::optional<std::string> unique_key{};
  std::optional<std::string> limit_key{};  ///< of the LimitRow it is subject to
  std::string arguments{};                 ///< JSON
  std::string tags{};                      ///< JSON
  std::optional<std::int64_t> lease{};     ///< the worker that runs it
  std::optional<Timestamp> started_at{};
  bool cancel_requested = false;
  bool run_anyway = false;  ///< also when a job that it comes after fails
  std::optional<double> progress{};
  std::optional<std::string> message{};
  std::optional<std::string> error{};   ///< of the last attempt
  std::optional<std::string> output{};  ///< JSON

  AEGIS_TABLE(WaitingJob, "aegis_job", (id, primary_key), (kind), (queue), (state), (priority),
              (run_at), (created_at), (attempt), (starts), (max_attempts), (timeout), (expires_at),
              (unique_key), (limit_key), (arguments), (tags), (lease), (started_at),
              (cancel_requested), (run_anyway), (progress), (message), (error), (output))

  static constexpr std::array aegis_indexes{
      TableIndex{"fetch", "queue, priority, run_at", "state = 'available' AND limit_key IS NULL"},
      TableIndex{"limited", "queue, limit_key, priority, run_at",
                 "state = 'available' AND limit_key IS NOT NULL"},
      TableIndex{"limit", "limit_key", "state = 'running' AND limit_key IS NOT NULL"},
      TableIndex{"due", "run_at", "state IN ('scheduled', 'retryable')"},
      TableIndex{"retryable", "queue", "state = 'retryable'"},
      TableIndex{"running", "lease", "state = 'running'"},
      TableIndex{"again", "id", "state = 'available' AND starts > 0"},
      TableIndex{"blocked", "id", "state = 'blocked'"},
      TableIndex{"expiry", "expires_at", "expires_at IS NOT NULL"},
      TableIndex{"unique_key", "unique_key", "unique_key IS NOT NULL", true},
  };
};

/// A job that is finished: completed, cancelled or dead. The id is the one it had.
struct FinishedJob {
  std::int64_t id{};
  std::string kind{};
  std::string queue{};
  std::string state{};
  std::int16_t priority{};
  Timestamp run_at{};
  Timestamp created_at{};
  std::int32_t attempt{};
  std::int64_t starts{};
  std::int32_t max_attempts{};
  std::chrono::milliseconds timeout{};
  std::optional<Timestamp> expires_at{};
  std::optional<std::string> limit_key{};
  std::string arguments{};
  std::string tags{};
  std::optional<Timestamp> started_at{};
  Timestamp finished_at{};
  std::optional<double> progress{};
  std::optional<std::string> message{};
  std::optional<std::string> error{};
  std::optional<std::string> output{};

  AEGIS_TABLE(FinishedJob, "aegis_job_finished", (id, primary_key), (kind), (queue), (state),
              (priority), (run_at), (created_at), (attempt), (starts), (max_attempts), (timeout),
              (expires_at), (limit_key), (arguments), (tags), (started_at), (finished_at),
              (progress), (message), (error), (output))

  static constexpr std::array aegis_indexes{TableIndex{"retention", "queue, state, finished_at"}};
};

/// That a job keeps others like it out also when it is finished.
struct UniqueRow {
  std::string key{};
  std::int64_t job_id{};
  std::optional<Timestamp> until{};  ///< empty: as long as the job is kept

  AEGIS_TABLE(UniqueRow, "aegis_job_unique", (key, primary_key), (job_id, indexed),
              (until, indexed))
};

/// A worker that lives: who has not renewed its lease in time is taken off the list, and its jobs
/// start elsewhere. The id is random and never used again.
struct WorkerRow {
  std::int64_t id{};
  std::string name{};  ///< host and process
  Timestamp started_at{};
  Timestamp lease_until{};
  std::int32_t concurrency{};
  std::int32_t running{};
  std::string queues{};  ///< JSON
  std::string kinds{};   ///< JSON: what its code can run

  AEGIS_TABLE(WorkerRow, "aegis_worker", (id, primary_key), (name), (started_at), (lease_until),
              (concurrency), (running), (queues), (kinds))
};

/// A queue about which something is to be remembered.
struct QueueRow {
  std::string name{};
  std::optional<Timestamp> paused_at{};

  AEGIS_TABLE(QueueRow, "aegis_queue", (name, primary_key), (paused_at))
};

/// A limit's bucket of tokens, of which every start takes one. Who gives jobs of the limit to
/// workers holds on to the row meanwhile, so that two workers do not exceed it together.
struct LimitRow {
  std::string name{};  ///< the kind, and the key if there is one
  double tokens{};
  Timestamp filled_at{};

  AEGIS_TABLE(LimitRow, "aegis_job_limit", (name, primary_key), (tokens), (filled_at, indexed))
};

/// That one job comes after another. Deleted once it may run.
struct JobAfter {
  std::optional<std::int64_t> id{};
  std::int64_t job_id{};
  std::int64_t after_id{};

  AEGIS_TABLE(JobAfter, "aegis_job_after", (id, primary_key), (job_id, indexed),
              (after_id, indexed))
};

/// A step of a job that is done, and its answer.
struct JobStep {
  std::optional<std::int64_t> id{};
  std::int64_t job_id{};
  std::string name{};
  std::string answer{};  ///< JSON

  AEGIS_TABLE(JobStep, "aegis_job_step", (id, primary_key), (job_id, unique("step")),
              (name, unique("step")), (answer))
};

/// A line of a job's log.
struct JobLine {
  std::optional<std::int64_t> id{};
  std::int64_t job_id{};
  std::int32_t attempt{};
  Timestamp at{};
  std::string message{};

  AEGIS_TABLE(JobLine, "aegis_job_line", (id, primary_key), (job_id, indexed), (attempt), (at),
              (message))
};

/// All of them.
std::vector<const Table*> tables();

}  // namespace aegis::jobs
