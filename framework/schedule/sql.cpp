#include "schedule/sql.h"

#include <fmt/format.h>

#include "jobs/sql_words.h"

namespace aegis::schedule {
namespace {

using Id = db::Dialect::Id;

struct Words : jobs::SqlWords {
  /// Element `n` of an array in the JSON array that each row of items() is.
  std::string element(int n, std::string_view type) const {
    return postgresql() ? fmt::format("(value ->> {})::{}", n, type)
                        : fmt::format("(value ->> {})", n);
  }
  std::string items(int n) const {
    return postgresql() ? fmt::format("json_array_elements(${}::json)", n)
                        : fmt::format("json_each(${})", n);
  }
  /// Put before a column, so that the query is not answered by an index on it: few runs are open,
  /// and many are old.
  std::string_view not_by_index() const { return postgresql() ? "" : "+"; }
  std::string skip_locked(std::string_view table) const {
    return postgresql() ? fmt::format(" FOR UPDATE OF {} SKIP LOCKED", table) : "";
  }
};

}  // namespace

Statements::Statements(Id database) {
  const Words w{{database}};
  const std::string now = w.now();
  time = fmt::format("SELECT {}", now);

  constexpr std::string_view can_be_due = "due_at IS NOT NULL AND paused_at IS NULL";
  due = fmt::format(
      "SELECT name, kind, arguments, timing, zone, catch_up, catch_up_most, overlap, jitter, "
      "starts_at, ends_at, created_at, slot, {} AS fired_at FROM aegis_schedule WHERE {} AND "
      "due_at "
      "<= {} AND {} ORDER BY due_at LIMIT $3{}",
      now, can_be_due, now, w.among_texts("kind", 2), w.skip_locked("aegis_schedule"));
  next_due = fmt::format(
      "SELECT {} FROM (SELECT due_at FROM aegis_schedule WHERE {} AND {} ORDER BY due_at LIMIT 1) "
      "AS next",
      w.milliseconds_until("due_at"), can_be_due, w.among_texts("kind", 2));
  const std::string outcome = w.element(3, "text");
  insert_runs = fmt::format(
      "INSERT INTO aegis_schedule_run (schedule, slot, how, fired_at, outcome, finished_at) SELECT "
      "{}, {}, {}, {}, {}, CASE WHEN {} IS NULL THEN NULL ELSE {} END FROM {} WHERE TRUE ON "
      "CONFLICT (schedule, slot) DO NOTHING RETURNING id, schedule, slot",
      w.element(0, "text"), w.element(1, "timestamptz"), w.element(2, "text"), now, outcome,
      outcome, now, w.items(2));
  set_jobs = fmt::format(
      "UPDATE aegis_schedule_run SET job_id = given.job FROM (SELECT {} AS run, {} AS job FROM {}) "
      "AS given WHERE id = given.run",
      w.element(0, "bigint"), w.element(1, "bigint"), w.items(1));
  advance = fmt::format(
      "UPDATE aegis_schedule SET slot = given.slot, due_at = given.due_at FROM (SELECT {} AS name, "
      "{} AS slot, {} AS due_at FROM {}) AS given WHERE aegis_schedule.name = given.name",
      w.element(0, "text"), w.element(1, "timestamptz"), w.element(2, "timestamptz"), w.items(1));
  open_jobs = fmt::format(
      "SELECT run.schedule, max(run.job_id) AS job FROM aegis_schedule_run AS run JOIN aegis_job "
      "AS "
      "job ON job.id = run.job_id WHERE run.outcome IS NULL AND {} GROUP BY run.schedule",
      w.among_texts("run.schedule", 1));

  any_open = "SELECT 1 FROM aegis_schedule_run WHERE outcome IS NULL LIMIT 1";
  settle = fmt::format(
      "WITH done AS (SELECT run.id AS run_id, job.state, job.started_at AS started, "
      "job.finished_at AS finished, job.error AS why, job.output AS answer FROM aegis_schedule_run "
      "AS run JOIN aegis_job_finished AS job ON job.id = run.job_id WHERE run.outcome IS NULL "
      "LIMIT "
      "1000{}) UPDATE aegis_schedule_run SET outcome = done.state, started_at = done.started, "
      "finished_at = done.finished, error = done.why, output = done.answer FROM done WHERE id = "
      "done.run_id",
      w.skip_locked("run"));
  const std::string a_minute_ago = w.later("-60000");
  give_up = fmt::format(
      "UPDATE aegis_schedule_run SET outcome = 'unknown' WHERE id IN (SELECT id FROM "
      "aegis_schedule_run AS run WHERE outcome IS NULL AND {}fired_at < {} AND NOT EXISTS (SELECT "
      "1 "
      "FROM aegis_job WHERE aegis_job.id = run.job_id) AND NOT EXISTS (SELECT 1 FROM "
      "aegis_job_finished WHERE aegis_job_finished.id = run.job_id))",
      w.not_by_index(), a_minute_ago);
  prune = fmt::format(
      "DELETE FROM aegis_schedule_run WHERE id IN (SELECT id FROM aegis_schedule_run WHERE "
      "fired_at "
      "< {} AND outcome IS NOT NULL ORDER BY fired_at LIMIT $3)",
      w.later("-$2"));

  const auto before = [](std::string_view what) {
    return fmt::format(
        "(SELECT coalesce({0}) FROM aegis_schedule_run AS other LEFT JOIN aegis_job_finished AS "
        "job "
        "ON job.id = other.job_id WHERE other.schedule = run.schedule AND other.slot < run.slot "
        "AND "
        "(other.outcome IS NULL OR other.outcome <> 'skipped') ORDER BY other.slot DESC LIMIT 1)",
        what);
  };
  run_of = fmt::format(
      "SELECT schedule, slot, how = 'catch-up' AS catch_up, how = 'by hand' AS by_hand, {} AS "
      "previous_outcome, {} AS previous_output FROM aegis_schedule_run AS run WHERE job_id = $1 "
      "ORDER BY slot DESC LIMIT 1",
      before("other.outcome, job.state"), before("other.output, job.output"));
  const std::string runs =
      "SELECT run.id, run.schedule, run.slot, run.how, run.fired_at, run.job_id, "
      "coalesce(run.outcome, job.state, live.state) AS outcome, coalesce(run.started_at, "
      "job.started_at, live.started_at) AS started_at, coalesce(run.finished_at, job.finished_at) "
      "AS finished_at, coalesce(run.error, job.error, live.error) AS error, coalesce(run.output, "
      "job.output) AS output FROM aegis_schedule_run AS run LEFT JOIN aegis_job_finished AS job ON "
      "job.id = run.job_id LEFT JOIN aegis_job AS live ON live.id = run.job_id ";
  history = runs + "ORDER BY run.fired_at DESC, run.id DESC LIMIT $1";
  history_of_one = runs + "WHERE run.schedule = $1 ORDER BY run.slot DESC LIMIT $2";
  late = fmt::format(
      "SELECT name, -{} AS late_ms FROM aegis_schedule WHERE {} AND due_at < {} ORDER BY due_at "
      "LIMIT 1000",
      w.milliseconds_until("due_at"), can_be_due, w.later("-$2"));
  counts =
      "SELECT (SELECT count(*) FROM aegis_schedule WHERE due_at IS NOT NULL AND paused_at IS NULL) "
      "AS active, (SELECT count(*) FROM aegis_schedule WHERE paused_at IS NOT NULL) AS paused";
}

const Statements& statements(Id database) {
  static const Statements sqlite(Id::sqlite), postgresql(Id::postgresql);
  return database == Id::postgresql ? postgresql : sqlite;
}

}  // namespace aegis::schedule
