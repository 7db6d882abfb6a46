#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aegis/db/database.h"
#include "aegis/jobs/job.h"
#include "db/row_reader.h"
#include "jobs/hub.h"
#include "jobs/sql.h"

namespace aegis::jobs {

/// A job that a worker has been given to run.
struct Claim {
  std::int64_t id{};
  std::string kind{};
  std::string queue{};
  std::int32_t priority{};
  Timestamp run_at{};
  std::int32_t attempt{};
  std::int64_t starts{};
  std::int32_t max_attempts{};
  std::chrono::milliseconds timeout{};
  std::string arguments{};
  bool unique_while_waiting = false;  ///< its unique key is free again

  AEGIS_FIELDS(Claim, (id), (kind), (queue), (priority), (run_at), (attempt), (starts),
               (max_attempts), (timeout), (arguments), (unique_while_waiting))
};

/// A limit that has available jobs.
struct LimitedJobs {
  std::string name{};
  std::optional<std::string> kind{};  ///< of its jobs; nothing when they have just been taken
  std::int64_t running = 0;

  AEGIS_FIELDS(LimitedJobs, (name), (kind), (running))
};

/// Which attempt a statement is about: it changes nothing once the job has another. The number of
/// the attempt is not enough for that: those that do not count have the same one as the next.
struct Fence {
  std::int64_t id{};
  std::int64_t start{};  ///< of the job, from 1 on
  std::int64_t lease{};
  std::int32_t attempt{};

  auto operator<=>(const Fence&) const = default;

  AEGIS_FIELDS(Fence, (id), (start), (lease), (attempt))
};

/// A job that comes after one that was not completed.
struct FailedBefore {
  std::int64_t id{};
  std::int64_t cause{};

  AEGIS_FIELDS(FailedBefore, (id), (cause))
};

/// A job that waits for no other any more.
struct Released {
  std::int64_t id{};
  std::string queue{};

  AEGIS_FIELDS(Released, (id), (queue))
};

/// How an attempt ended.
struct Ending {
  enum class How : std::uint8_t {
    completed,
    failed,     ///< to be tried again after `delay`
    dead,       ///< failed for the last time
    snoozed,    ///< to be run again after `delay`; the attempt does not count
    cancelled,  ///< not to be run any more
    released,   ///< not finished, through no fault of its own; the attempt does not count
    lost,       ///< the job is no longer this attempt's
  };

  How how = How::completed;
  std::chrono::milliseconds delay{};
  std::optional<std::string> reason{};
  std::optional<std::string> output{};
  std::optional<double> progress{};
  std::optional<std::string> message{};
};

std::string_view to_string(Ending::How how);

/// A running job whose worker is gone.
struct Orphan {
  std::int64_t id{};
  std::string queue{};
  std::int32_t attempt{};
  std::int64_t starts{};
  std::int32_t max_attempts{};
  std::int64_t lease{};
  bool cancel_requested = false;

  Fence fence() const { return {id, starts, lease, attempt}; }
  Ending ending() const;

  AEGIS_FIELDS(Orphan, (id), (queue), (attempt), (starts), (max_attempts), (lease),
               (cancel_requested))
};

/// A worker as others see it.
struct Registration {
  std::int64_t lease{};
  std::string name{};
  std::chrono::milliseconds length{};
  std::int32_t concurrency{};
  std::vector<std::string> queues{};
  std::vector<std::string> kinds{};
};

/// How a queue does. Each count stops at 10,000, or 20,000 where some of its jobs have limits.
struct QueueOverview {
  std::string name{};
  bool paused = false;
  std::int64_t available = 0;
  std::int64_t retryable = 0;
  std::int64_t dead = 0;       ///< in the last hour
  std::int64_t oldest_ms = 0;  ///< for how long the oldest available job has been waiting
  /// Of the newest 1,000 jobs that were completed or died in the last hour, and of 1,000 that wait
  /// to be tried again: their attempts so far, and how many of these failed.
  std::int64_t attempts = 0, failed = 0;

  AEGIS_FIELDS(QueueOverview, (name), (paused), (available), (retryable), (dead), (oldest_ms),
               (attempts), (failed))
};

struct Overview {
  std::int64_t workers = 0;
  std::int64_t running = 0;
  std::vector<QueueOverview> queues{};

  AEGIS_FIELDS(Overview, (workers), (running), (queues))
};

/// What the jobs room asks of one database. Methods that take no session run in one of their own,
/// never on a replica: what they decide on must be the newest.
class Store {
 public:
  explicit Store(Database& database);

  Database& database() const { return *database_; }
  db::Driver& driver() const { return *driver_; }
  const Statements& sql() const { return *sql_; }
  Hub& hub() const { return *hub_; }
  /// NULL, or the time of a test.
  Cell now() const;

  /// Tells all workers of jobs in these queues.
  awaitable<void> tell(std::vector<std::string> queues);

  awaitable<void> sign_on(const Registration& worker);
  /// Answers false when the worker is no longer on the list: its jobs are others'.
  awaitable<bool> renew(const Registration& worker, std::int32_t running);
  /// Gives back what it still runs, and takes it off the list.
  awaitable<void> sign_off(std::int64_t lease);

  /// Up to `limit` available jobs of a queue, the most urgent first, which now run under `lease`.
  /// None when the lease has ended or the queue is paused.
  awaitable<std::vector<Claim>> fetch(std::int64_t lease, const std::string& queue,
                                      std::int64_t limit, const std::string& kinds);
  /// The limits that have available jobs in the queue, up to `most`, after this one in the
  /// alphabet.
  awaitable<std::vector<LimitedJobs>> limited(const std::string& queue, const std::string& after,
                                              std::int64_t most);
  struct LimitedClaims {
    std::vector<Claim> claims{};
    /// When more of the limit may start, if only its rate is in the way.
    std::optional<std::chrono::milliseconds> wait{};
  };
  /// As fetch, of jobs with this limit, as many as it allows.
  awaitable<LimitedClaims> fetch_limited(std::int64_t lease, const std::string& queue,
                                         std::int64_t limit, const std::string& kinds,
                                         const std::string& limit_name, const Limit& rules);
  /// Answers which of them were completed; the others had been given to somebody else.
  awaitable<std::vector<std::int64_t>> complete(std::int64_t lease,
                                                const std::vector<Fence>& attempts);
  /// Writes how attempts ended. Answers, for each, whether the job was still that attempt's.
  awaitable<std::vector<bool>> end(const std::vector<std::pair<Fence, Ending>>& endings);
  /// What running jobs tell of themselves.
  struct Report {
    Fence fence{};
    std::optional<double> progress{};
    std::optional<std::string> message{};
    std::vector<std::pair<Timestamp, std::string>> lines{};
  };
  awaitable<void> report(const std::vector<Report>& reports);
  awaitable<std::vector<std::int64_t>> cancel_requests(std::int64_t lease);
  /// What runs under the lease.
  awaitable<std::vector<Fence>> running(std::int64_t lease);

  /// After these jobs have ended: makes those available that come after them, or cancels them.
  awaitable<void> follow_up(std::vector<std::int64_t> ended);
  /// The same for jobs whose turn was forgotten when a worker died.
  awaitable<void> follow_up_stalled();
  /// Whether the attempt still counts; if so it does until the session ends.
  awaitable<bool> hold(Session& session, const Fence& fence);

  /// Takes dead workers off the list and makes their jobs available. Answers how many jobs.
  awaitable<std::int64_t> rescue();
  /// Makes up to `limit` jobs that are due available, tells of them, and answers how many.
  awaitable<std::int64_t> promote(std::int64_t limit);
  awaitable<std::optional<std::int64_t>> next_due();
  /// Cancels up to `limit` jobs that have expired.
  awaitable<std::int64_t> expire(std::int64_t limit);
  /// Forgets unique keys whose time is over.
  awaitable<void> forget_old_keys();
  /// Gives a job that does not run another time: `at`, or `delay` from now. Answers false for one
  /// that runs, or is not there.
  awaitable<bool> reschedule(Session& session, std::int64_t id, std::optional<Timestamp> at,
                             std::chrono::milliseconds delay);
  /// Ends a job that does not run; answers false for one that does, or is not there.
  awaitable<bool> end_waiting(Session& session, std::int64_t id, std::string state,
                              std::string reason);
  awaitable<void> set_paused(std::string queue, bool paused);
  awaitable<Overview> overview();
  /// Deletes up to `limit` jobs that were finished in this way longer ago than `age`.
  awaitable<std::int64_t> prune(std::string state, std::chrono::milliseconds age,
                                std::int64_t limit);
  /// Forgets the limits of these kinds that nobody has used for a day, and whose tokens are all
  /// there again; those of kinds that no worker knows after a month.
  awaitable<void> forget_limits(const std::vector<const JobKind*>& kinds);

 private:
  awaitable<std::vector<Claim>> claim(Session& s, std::string_view sql,
                                      std::span<const Cell> values) const;
  /// Answers those that it has cancelled.
  awaitable<std::vector<std::int64_t>> settle(std::vector<std::int64_t> followers);

  Database* database_;
  db::Driver* driver_;
  const Statements* sql_;
  std::shared_ptr<Hub> hub_;
};

/// Writes how an attempt ended, as part of the session's transaction. Answers false when the job
/// is no longer that attempt's. All it refers to must outlive the await.
awaitable<bool> end_attempt(db::Link& link, const Statements& sql, Cell now, const Fence& fence,
                            const Ending& ending);

/// Runs a statement on a Session or a db::Link and answers its rows. What `values` borrow must
/// outlive the await.
template <class T, class Runner>
awaitable<std::vector<T>> rows(Runner& runner, std::string_view sql, std::span<const Cell> values,
                               bool writes = true) {
  std::vector<T> found;
  db::RowReader reader(aegis::detail::target(found));
  co_await runner.run({sql, values, writes}, reader);
  co_return found;
}

/// The numbers as a JSON array.
std::string json_list(const std::vector<std::int64_t>& numbers);

}  // namespace aegis::jobs
