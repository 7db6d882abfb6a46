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
  /// `column` is one of those that `select` answers, which is made once.
  std::string among(std::string_view column, std::string_view select) const {
    return postgresql() ? fmt::format("{} = ANY (ARRAY({}))", column, select)
                        : fmt::format("{} IN ({})", column, select);
  }
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
  outlook = fmt::format(
      "SELECT {} AS now, (SELECT {} FROM aegis_schedule WHERE {} AND {} ORDER BY due_at LIMIT 1) "
      "AS "
      "next_ms",
      now, w.milliseconds_until("due_at"), can_be_due, w.among_texts("kind", 2));
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
  // Those that were started before and wait to be started again, or run: few, and found by indexes.
  constexpr std::string_view started_before =
      "SELECT id FROM aegis_job WHERE state = 'available' AND starts > 0 UNION ALL SELECT id FROM "
      "aegis_job WHERE state = 'retryable' UNION ALL SELECT id FROM aegis_job WHERE state = "
      "'running'";
  reopen = fmt::format(
      "UPDATE aegis_schedule_run SET outcome = NULL, started_at = NULL, finished_at = NULL, error "
      "= "
      "NULL, output = NULL WHERE outcome IS NOT NULL AND {}",
      w.among("job_id", started_before));
  const std::string open_of = fmt::format(
      "FROM aegis_schedule_run AS run JOIN aegis_job AS job ON job.id = run.job_id WHERE "
      "run.outcome "
      "IS NULL AND {}",
      w.among_texts("run.schedule", 1));
  open_jobs = fmt::format(
      "SELECT run.schedule, job.id AS job {0} AND job.state <> 'blocked' UNION SELECT "
      "run.schedule, "
      "max(job.id) AS job {0} GROUP BY run.schedule",
      open_of);
  const std::string job = w.postgresql() ? "value::text::bigint" : "value";
  ended_jobs = fmt::format(
      "SELECT {0} FROM {1} WHERE NOT EXISTS (SELECT 1 FROM aegis_job WHERE aegis_job.id = {0})",
      job, w.items(1));

  // Not by joins: PostgreSQL would rather read both tables of jobs than look for a thousand of
  // them.
  const auto is_in = [](std::string_view table) {
    return fmt::format("(SELECT {0}.id FROM {0} WHERE {0}.id = run.job_id) IS NOT NULL", table);
  };
  open_runs = fmt::format(
      "SELECT schedule, id, {0} AS ended, fired_at < {1} AND NOT {0} AND NOT {2} AS lost FROM "
      "aegis_schedule_run AS run WHERE outcome IS NULL AND (schedule, id) > ({3}, $3) ORDER BY "
      "schedule, id LIMIT $4",
      is_in("aegis_job_finished"), w.later("-60000"), is_in("aegis_job"), w.text(2));
  const std::string given_runs =
      w.locked("aegis_schedule_run.id",
               fmt::format("SELECT id FROM aegis_schedule_run WHERE outcome IS NULL AND {}",
                           w.among_numbers("id", 1)));
  settle = fmt::format(
      "UPDATE aegis_schedule_run SET outcome = job.state, started_at = job.started_at, finished_at "
      "= "
      "job.finished_at, error = job.error, output = job.output FROM aegis_job_finished AS job "
      "WHERE "
      "job.id = aegis_schedule_run.job_id AND {}",
      given_runs);
  give_up = fmt::format(
      "UPDATE aegis_schedule_run SET outcome = 'unknown' WHERE {} AND NOT EXISTS (SELECT 1 FROM "
      "aegis_job WHERE aegis_job.id = aegis_schedule_run.job_id) AND NOT EXISTS (SELECT 1 FROM "
      "aegis_job_finished WHERE aegis_job_finished.id = aegis_schedule_run.job_id)",
      given_runs);
  outdated = fmt::format(
      "SELECT id, schedule, slot FROM aegis_schedule_run WHERE fired_at < {} AND outcome IS NOT "
      "NULL "
      "ORDER BY fired_at LIMIT $3{}",
      w.later("-$2"), w.postgresql() ? " FOR UPDATE" : "");
  forget = fmt::format("DELETE FROM aegis_schedule_run WHERE {}", w.among_numbers("id", 1));
  remember_pruned = fmt::format(
      "UPDATE aegis_schedule SET pruned_slot = given.slot FROM (SELECT {} AS name, {} AS slot FROM "
      "{}) AS given WHERE aegis_schedule.name = given.name AND (pruned_slot IS NULL OR pruned_slot "
      "< "
      "given.slot)",
      w.element(0, "text"), w.element(1, "timestamptz"), w.items(1));

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
      before("job.state, other.outcome"), before("job.output, other.output"));
  // What the job says itself, as long as there is one: it may have been retried since.
  const auto its = [](std::string_view column, std::string_view of_live) {
    return fmt::format(
        "CASE WHEN job.id IS NOT NULL THEN job.{0} WHEN live.id IS NOT NULL THEN {1} ELSE run.{2} "
        "END AS {2}",
        column, of_live, column == "state" ? "outcome" : column);
  };
  const std::string runs = fmt::format(
      "SELECT run.id, run.schedule, run.slot, run.how, run.fired_at, run.job_id, {}, {}, {}, {}, "
      "{} "
      "FROM aegis_schedule_run AS run LEFT JOIN aegis_job_finished AS job ON job.id = run.job_id "
      "LEFT "
      "JOIN aegis_job AS live ON live.id = run.job_id ",
      its("state", "live.state"), its("started_at", "live.started_at"), its("finished_at", "NULL"),
      its("error", "live.error"), its("output", "live.output"));
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
