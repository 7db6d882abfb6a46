#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "aegis/db/database.h"
#include "aegis/schedule/schedule.h"
#include "jobs/hub.h"
#include "schedule/sql.h"
#include "schedule/tables.h"

namespace aegis::schedule {

/// A run as people see it.
struct RunInfo {
  std::int64_t id{};
  std::string schedule{};
  Timestamp slot{};
  std::string how{};
  Timestamp fired_at{};
  std::optional<std::int64_t> job_id{};
  std::optional<std::string> outcome{};  ///< of one that has not ended: the state of its job
  std::optional<Timestamp> started_at{};
  std::optional<Timestamp> finished_at{};
  std::optional<std::string> error{};
  std::optional<std::string> output{};

  AEGIS_FIELDS(RunInfo, (id), (schedule), (slot), (how), (fired_at), (job_id), (outcome),
               (started_at), (finished_at), (error), (output))
};

/// A schedule that should have been fired.
struct Late {
  std::string name{};
  std::int64_t late_ms = 0;

  AEGIS_FIELDS(Late, (name), (late_ms))
};

struct Counts {
  std::int64_t active = 0;
  std::int64_t paused = 0;

  AEGIS_FIELDS(Counts, (active), (paused))
};

/// What a scheduler goes by.
struct Outlook {
  Timestamp now{};
  std::optional<std::int64_t> next_ms{};  ///< until the next schedule is due; none: nothing

  AEGIS_FIELDS(Outlook, (now), (next_ms))
};

/// What the schedule room asks of one database. Each method runs in a session of its own, never on
/// a replica.
class Store {
 public:
  /// `kinds`: the jobs that this process knows. It fires no schedules of others.
  Store(Database& database, std::vector<const JobKind*> kinds);

  Database& database() const { return *database_; }
  /// Throws Error(invalid), with the kinds that there are, for another.
  const JobKind& kind(std::string_view name) const;

  awaitable<Timestamp> time(Session& session) const;

  /// Brings to the database what the code declares: adds, changes and retires, a line in the log
  /// for each. What was created at run time, and whether something is paused, stays.
  awaitable<void> reconcile(const std::vector<Schedules::Declared>& declared);

  /// Fires up to `limit` schedules that are due: in one transaction the runs, their jobs, and what
  /// is next. Slots up to `patience` late are on time. Answers how many schedules there were.
  /// `at` becomes the time by which it fired, if it did.
  awaitable<std::int64_t> fire(std::int64_t limit, std::chrono::milliseconds patience,
                               Timestamp* at = nullptr);
  awaitable<Outlook> outlook();
  /// After a clock was wrong: looks anew for the next slots that lie further ahead than the time
  /// allows. (No slot that has had its run gets a second one.) Clocks that differ by up to
  /// `patience` are in order.
  awaitable<void> draw_back(std::chrono::milliseconds patience);
  /// Fires a schedule now, besides its slots, also when it is paused. Answers the job. Throws
  /// Error(not_found).
  awaitable<std::int64_t> run_now(std::string name);

  /// Writes into the runs how their jobs ended. Looks at no more than 1,000 that are open, and goes
  /// on with others next time, unless so many have ended.
  awaitable<void> settle();
  /// Deletes up to `limit` ended runs that are older, and answers how many.
  awaitable<std::int64_t> prune(std::chrono::milliseconds age, std::int64_t limit);

  awaitable<std::optional<ScheduledRun>> run_of(std::int64_t job);
  /// Of one schedule, by slot, or of all, as they were fired; the newest first.
  awaitable<std::vector<RunInfo>> history(std::optional<std::string> name, std::int64_t limit);
  awaitable<std::vector<Late>> late(std::chrono::milliseconds by);
  awaitable<Counts> counts();

 private:
  struct Due;
  struct Firing;
  /// The jobs of schedules that are not finished.
  using OpenJobs = std::unordered_map<std::string, std::vector<std::int64_t>>;
  /// What a transaction of fire() has done.
  struct Fired {
    std::int64_t schedules = 0;
    Timestamp at{};
    OpenJobs open{};  ///< of the schedules that mind them
  };
  awaitable<Fired> fire_due(Session& s, std::int64_t limit, std::chrono::milliseconds patience);
  awaitable<OpenJobs> open_jobs(Session& s, const std::vector<Due>& due);
  awaitable<void> enqueue(Session& s, std::vector<Firing>& firings, const OpenJobs& open);
  awaitable<void> follow_up(const OpenJobs& open);
  Cell now() const { return hub_->now(); }

  Database* database_;
  const Statements* sql_;
  std::shared_ptr<jobs::Hub> hub_;
  std::vector<const JobKind*> kinds_;
  std::string kinds_json_;
  std::pair<std::string, std::int64_t> settled_{};  ///< the open run that was looked at last
};

/// Throws ValidationError or Error(malformed) for arguments that are none of the kind's.
void check_arguments(const JobKind& kind, const std::string& arguments);

/// Those of a row's columns that say what a schedule is.
ScheduleSpec spec_of(const ScheduleRow& row);
void set_spec(ScheduleRow& row, const ScheduleSpec& spec);
/// Sets the first slot after `after`.
void set_next(ScheduleRow& row, Timestamp after);

}  // namespace aegis::schedule
