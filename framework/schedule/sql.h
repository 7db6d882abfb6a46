#pragma once

#include <string>

#include "db/dialect.h"

namespace aegis::schedule {

/// Every statement of the schedule room that is more than a row read or written by its key. `now`
/// is the time to go by, and NULL except in tests: then it is the database's clock that counts,
/// which all schedulers share.
struct Statements {
  explicit Statements(db::Dialect::Id database);

  /// $1 now. Answers it.
  std::string time;
  /// The schedules that are due, and locks them; those that others have locked are left to them.
  /// $1 now, $2 kinds (JSON), $3 how many. Answers DueSchedules.
  std::string due;
  /// Outlook: the time, and the milliseconds until the next one is due; none: NULL. $1 now, $2
  /// kinds (JSON).
  std::string outlook;
  /// Runs as a JSON array of [schedule, slot, how, outcome]: $1 now, $2 the array. Answers those
  /// whose slot had none, as NewRuns.
  std::string insert_runs;
  /// $1 a JSON array of [run, job].
  std::string set_jobs;
  /// $1 a JSON array of [schedule, slot, due_at].
  std::string advance;
  /// Runs whose jobs were finished and are to run once more have not ended.
  std::string reopen;
  /// The jobs of the schedules $1, a JSON array of names, that are not finished, save those that
  /// wait for another of them: OpenJobs.
  std::string open_jobs;
  /// Which of the jobs $1, a JSON array, are not there any more.
  std::string ended_jobs;

  /// Runs that have not ended, in the order of schedule and id: $1 now, $2 and $3 after this one,
  /// $4 how many. Answers OpenRuns.
  std::string open_runs;
  /// Writes into the runs $1, a JSON array, how their jobs ended.
  std::string settle;
  /// The same for those whose jobs are gone.
  std::string give_up;
  /// Runs that have ended, and were fired longer ago than $2 milliseconds: $1 now, $3 how many.
  /// Answers NewRuns.
  std::string outdated;
  /// $1 a JSON array of runs.
  std::string forget;
  /// That runs of schedules were deleted: $1 a JSON array of [schedule, slot].
  std::string remember_pruned;

  /// The run of the job $1, and the one before it: ScheduledRun.
  std::string run_of;
  /// Runs with what is known of their jobs, the newest first: $1 how many. Answers RunInfos.
  std::string history;
  /// The same of the schedule $1, by slot; $2 how many.
  std::string history_of_one;
  /// The schedules that have been due for longer than $2 milliseconds: $1 now. Answers Late.
  std::string late;
  /// How many schedules there are: Counts.
  std::string counts;
};

/// The database's, made once for the process.
const Statements& statements(db::Dialect::Id database);

}  // namespace aegis::schedule
