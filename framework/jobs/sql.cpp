#include "jobs/sql.h"

#include <fmt/format.h>

#include "jobs/sql_words.h"

namespace aegis::jobs {
namespace {

struct Words : SqlWords {
  /// The moment that parameter `n` is.
  std::string moment(int n) const {
    return fmt::format("${}{}", n, postgresql() ? "::timestamptz" : "");
  }
  std::string boolean(int n) const {
    return fmt::format("${}{}", n, postgresql() ? "::boolean" : "");
  }
  std::string real(int n) const {
    return fmt::format("${}{}", n, postgresql() ? "::double precision" : "");
  }
  std::string milliseconds_since(std::string_view moment) const {
    return postgresql() ? fmt::format("(extract(epoch FROM {} - {}) * 1000)::double precision",
                                      now(), moment)
                        : fmt::format("(julianday({}) - julianday({})) * 86400000", now(), moment);
  }

  /// The elements of the JSON array that parameter `n` is, as the column `item`, which is text.
  std::string items(int n) const {
    return postgresql()
               ? fmt::format("(SELECT value::text AS item FROM json_array_elements(${}::json))", n)
               : fmt::format("(SELECT value AS item FROM json_each(${}))", n);
  }
  /// Those of an array of [arguments, limit key], as the columns `item` and `key`.
  std::string limited_items(int n) const {
    return postgresql()
               ? fmt::format(
                     "(SELECT (value -> 0)::text AS item, value ->> 1 AS key FROM "
                     "json_array_elements(${}::json))",
                     n)
               : fmt::format("(SELECT value -> 0 AS item, value ->> 1 AS key FROM json_each(${}))",
                             n);
  }
  /// Those of an array of [arguments, limit key, tags, blocked, unique key], as the columns `item`,
  /// `key`, `tags`, `blocked` and `unique_key`.
  std::string tagged_items(int n) const {
    return postgresql()
               ? fmt::format(
                     "(SELECT (value -> 0)::text AS item, value ->> 1 AS key, (value -> 2)::text "
                     "AS "
                     "tags, (value ->> 3)::boolean AS blocked, value ->> 4 AS unique_key FROM "
                     "json_array_elements(${}::json))",
                     n)
               : fmt::format(
                     "(SELECT value -> 0 AS item, value ->> 1 AS key, value -> 2 AS tags, value "
                     "->> "
                     "3 AS blocked, value ->> 4 AS unique_key FROM json_each(${}))",
                     n);
  }
  std::string smaller(std::string_view a, std::string_view b) const {
    return fmt::format("{}({}, {})", postgresql() ? "least" : "min", a, b);
  }
  std::string larger(std::string_view a, std::string_view b) const {
    return fmt::format("{}({}, {})", postgresql() ? "greatest" : "max", a, b);
  }
  /// The members of a JSON object {"job":start}, as the columns `job` and `nth`. (SQLite parses an
  /// array in an array once more for each element of it.)
  std::string attempts(int n) const {
    return postgresql()
               ? fmt::format(
                     "(SELECT key::bigint AS job, value::bigint AS nth FROM "
                     "json_each_text(${}::json))",
                     n)
               : fmt::format(
                     "(SELECT CAST(key AS INTEGER) AS job, value AS nth FROM json_each(${}))", n);
  }
};

/// What a job takes along when it is finished.
constexpr std::string_view kept =
    "id, kind, queue, priority, run_at, created_at, attempt, starts, max_attempts, timeout, "
    "expires_at, "
    "limit_key, arguments, tags, started_at";

/// The running job that the parameters 2, 3 and 4 name.
constexpr std::string_view fence = "id = $2 AND starts = $3 AND lease = $4 AND state = 'running'";

constexpr int most_counted = 10'000;  // of a queue's jobs in one state
constexpr int most_sampled = 1'000;   // of a queue's jobs, for how many attempts fail

/// A part of a WITH RECURSIVE: the queues of the jobs in `from` that satisfy `which`, at last NULL.
/// Goes from one to the next in an index that begins with the queue, whatever their jobs' number.
std::string each_queue(std::string_view name, std::string_view from, std::string_view which) {
  return fmt::format(
      "{0} (name) AS (SELECT (SELECT min(queue) FROM {1} WHERE {2}) UNION ALL SELECT (SELECT "
      "min(queue) FROM {1} WHERE {2} AND queue > {0}.name) FROM {0} WHERE {0}.name IS NOT NULL)",
      name, from, which);
}

/// Moves the rows of aegis_job that satisfy `which`; `columns` and `values` say what they become.
/// Where one statement cannot do that, this one copies and `forget` deletes.
std::string finish(const Words& words, std::string_view which, std::string_view values,
                   std::string_view from = "aegis_job") {
  const std::string insert = fmt::format(
      "INSERT INTO aegis_job_finished ({}, state, error, output, progress, message, "
      "finished_at) SELECT {}, {}, {}",
      kept, kept, values, words.now());
  if (words.postgresql()) {
    return fmt::format(
        "WITH gone AS (DELETE FROM aegis_job WHERE {} RETURNING *) {} FROM gone "
        "RETURNING id",
        which, insert);
  }
  return fmt::format("{} FROM {} WHERE {} RETURNING id", insert, from, which);
}

}  // namespace

Statements::Statements(db::Dialect::Id database) {
  const Words w{{database}};
  const std::string now = w.now();
  const auto when = [&](int run_at, int delay) {
    const auto ms = fmt::format("${}", delay);
    return fmt::format("coalesce({}, CASE WHEN {} > 0 THEN {} ELSE {} END)", w.moment(run_at), ms,
                       w.later(ms), now);
  };
  const auto state_when = [&](const std::string& moment) {
    return fmt::format("CASE WHEN {} > {} THEN 'scheduled' ELSE 'available' END", moment, now);
  };
  constexpr std::string_view no_worker =
      "NOT EXISTS (SELECT 1 FROM aegis_worker WHERE aegis_worker.id = aegis_job.lease)";

  constexpr std::string_view columns =
      "kind, queue, state, priority, run_at, created_at, attempt, starts, max_attempts, timeout, "
      "expires_at, cancel_requested, run_anyway";
  const std::string run_at = when(5, 6);
  const auto values = [&](std::string_view state, std::string_view run_anyway) {
    return fmt::format("{}, {}, {}, $4, {}, {}, 0, 0, $7, $8, {}, FALSE, {}", w.text(2), w.text(3),
                       state, run_at, now, w.moment(9), run_anyway);
  };
  enqueue = fmt::format(
      "INSERT INTO aegis_job ({}, unique_key, arguments, tags, limit_key) VALUES ({}, {}, "
      "{}, {}, {}) ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING RETURNING id",
      columns,
      values(
          fmt::format("CASE WHEN {} THEN 'blocked' ELSE {} END", w.boolean(14), state_when(run_at)),
          w.boolean(15)),
      w.text(10), w.text(11), w.text(12), w.text(13));
  const auto many = [&](const std::string& tags, std::string_view limit_key,
                        const std::string& items) {
    return fmt::format(
        "INSERT INTO aegis_job ({}, arguments, tags, limit_key) SELECT {}, item, {}, {} FROM {} "
        "AS items",
        columns, values(state_when(run_at), "FALSE"), tags, limit_key, items);
  };
  enqueue_many = many(w.text(11), "NULL", w.items(10));
  enqueue_many_limited = many(w.text(11), "key", w.limited_items(10));
  const std::string tagged = fmt::format(
      "INSERT INTO aegis_job ({}, arguments, tags, limit_key, unique_key) SELECT {}, item, tags, "
      "key, unique_key FROM {} AS items",
      columns,
      values(fmt::format("CASE WHEN blocked THEN 'blocked' ELSE {} END", state_when(run_at)),
             "blocked"),
      w.tagged_items(10));
  enqueue_tagged = tagged + " RETURNING id, tags AS label";
  enqueue_tagged_unique = tagged +
                          " WHERE TRUE ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO "
                          "NOTHING RETURNING id, unique_key AS label";
  const std::string new_time = when(3, 4);
  const auto change = [&](std::string_view which, std::string_view more) {
    return fmt::format(
        "UPDATE aegis_job SET run_at = {}, state = CASE WHEN state = 'blocked' THEN state ELSE {} "
        "END{} WHERE {} = $2 AND state <> 'running' RETURNING id",
        new_time, state_when(new_time), more, which);
  };
  constexpr std::string_view content = ", priority = $5, arguments = $6";
  replace = change("unique_key", content);
  reschedule = change("unique_key", "");
  replace_job = change("id", content);
  reschedule_job = change("id", "");

  const std::string span = w.postgresql()
                               ? fmt::format("(floor(extract(epoch FROM {}) / $3)::bigint)", now)
                               : fmt::format("(CAST(strftime('%s', {}) AS INTEGER) / $3)", now);
  const std::string name = fmt::format("{} || CASE WHEN {} > 0 THEN '@' || {} ELSE '' END",
                                       w.text(2), w.postgresql() ? "$3::bigint" : "$3", span);
  const std::string span_end = fmt::format("({} + 1) * $3", span);
  const std::string end_of_span =
      w.postgresql()
          ? fmt::format("to_timestamp({})", span_end)
          : fmt::format("strftime('%Y-%m-%dT%H:%M:%S.000000Z', {}, 'unixepoch')", span_end);
  key_holder = fmt::format("SELECT job_id FROM aegis_job_unique WHERE key = {}", name);
  take_key = fmt::format(
      "INSERT INTO aegis_job_unique (key, job_id, until) VALUES ({}, $4, CASE WHEN $3 > 0 THEN {} "
      "END) ON CONFLICT (key) DO NOTHING RETURNING job_id",
      name, end_of_span);
  forget_old_keys = fmt::format("DELETE FROM aegis_job_unique WHERE until <= {}", now);
  forget_keys = fmt::format("DELETE FROM aegis_job_unique WHERE {} AND until IS NULL",
                            w.among_numbers("job_id", 1));
  by_key = "SELECT id FROM aegis_job WHERE unique_key = $1";
  by_keys = fmt::format("SELECT id, unique_key AS label FROM aegis_job WHERE {}",
                        w.among_texts("unique_key", 1));

  const std::string key_share = w.postgresql() ? " ORDER BY id FOR KEY SHARE" : "";
  unfinished =
      fmt::format("SELECT id FROM aegis_job WHERE {}{}", w.among_numbers("id", 1), key_share);
  const auto ended = [&](std::string_view how) {
    return fmt::format("SELECT id FROM aegis_job_finished WHERE {} AND state {} 'completed'",
                       w.among_numbers("id", 1), how);
  };
  failed = ended("<>");
  completed = ended("=");
  add_after = w.postgresql()
                  ? "INSERT INTO aegis_job_after (job_id, after_id) SELECT $1::bigint, "
                    "value::text::bigint FROM json_array_elements($2::json)"
                  : "INSERT INTO aegis_job_after (job_id, after_id) SELECT $1, value FROM "
                    "json_each($2)";
  add_afters =
      w.postgresql()
          ? "INSERT INTO aegis_job_after (job_id, after_id) SELECT (value ->> 0)::bigint, (value "
            "->> "
            "1)::bigint FROM json_array_elements($1::json)"
          : "INSERT INTO aegis_job_after (job_id, after_id) SELECT value ->> 0, value ->> 1 FROM "
            "json_each($1)";
  followers = fmt::format("SELECT DISTINCT job_id FROM aegis_job_after WHERE {}",
                          w.among_numbers("after_id", 1));
  constexpr std::string_view waits_for_nobody =
      "state = 'blocked' AND NOT EXISTS (SELECT 1 FROM aegis_job_after AS a JOIN aegis_job AS "
      "other ON other.id = a.after_id WHERE a.job_id = aegis_job.id)";
  doomed = fmt::format(
      "SELECT job.id, min(other.id) AS cause FROM aegis_job AS job JOIN aegis_job_after AS a ON "
      "a.job_id = job.id JOIN aegis_job_finished AS other ON other.id = a.after_id WHERE {} AND "
      "job.state = 'blocked' AND NOT job.run_anyway AND other.state <> 'completed' GROUP BY job.id",
      w.among_numbers("job.id", 1));
  // A job that it comes after may have died since `doomed` was asked.
  release = fmt::format(
      "UPDATE aegis_job SET state = {} WHERE {} AND {} AND (run_anyway OR NOT EXISTS (SELECT 1 "
      "FROM "
      "aegis_job_after AS a JOIN aegis_job_finished AS other ON other.id = a.after_id WHERE "
      "a.job_id = aegis_job.id AND other.state <> 'completed')) RETURNING id, queue",
      state_when("run_at"), waits_for_nobody, w.among_numbers("id", 2));
  stalled = fmt::format("SELECT id FROM aegis_job WHERE {} LIMIT 1000", waits_for_nobody);
  forget_after = fmt::format("DELETE FROM aegis_job_after WHERE {}", w.among_numbers("job_id", 1));
  hold_attempt = fmt::format(
      "SELECT id FROM aegis_job WHERE id = $1 AND starts = $2 AND lease = $3 AND state = "
      "'running'{}",
      w.postgresql() ? " FOR UPDATE" : "");

  // A crash of the server may undo what was given out last: then these jobs are available again,
  // and the attempts that had begun do not count. So nobody need wait for the disk here.
  const std::string relaxed =
      w.postgresql() ? " AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL"
                     : "";
  const auto fetch_of = [&](std::string_view limit) {
    const std::string next = fmt::format(
        "SELECT id FROM aegis_job WHERE state = 'available' AND limit_key {3} AND queue = {0} AND "
        "{1} AND (expires_at IS NULL OR expires_at > {2}) AND EXISTS (SELECT 1 FROM aegis_worker "
        "WHERE id = $4) AND NOT EXISTS (SELECT 1 FROM aegis_queue WHERE name = {0} AND paused_at "
        "IS NOT NULL){4} ORDER BY priority, run_at LIMIT $3",
        w.text(2), w.among_texts("kind", 5), now, limit, relaxed);
    return fmt::format(
        "UPDATE aegis_job SET state = 'running', attempt = attempt + 1, starts = starts + 1, lease "
        "= $4, started_at = "
        "{}, progress = NULL, message = NULL WHERE {} RETURNING id, kind, queue, priority, run_at, "
        "attempt, starts, max_attempts, timeout, arguments, coalesce(unique_key LIKE 'w:%', FALSE) "
        "AS "
        "unique_while_waiting",
        now, w.locked("id", next));
  };
  fetch = fetch_of("IS NULL");
  fetch_limited = fetch_of("IS NOT NULL AND limit_key = " + w.text(6));
  free_keys =
      fmt::format("UPDATE aegis_job SET unique_key = NULL WHERE {}", w.among_numbers("id", 1));
  // Goes from one limit to the next in the index, whatever the number of their jobs.
  const auto next_limit = [&](std::string_view after) {
    return fmt::format(
        "SELECT limit_key FROM aegis_job WHERE state = 'available' AND limit_key IS NOT NULL AND "
        "queue = {} AND limit_key > {} ORDER BY limit_key LIMIT 1",
        w.text(1), after);
  };
  limited = fmt::format(
      "WITH RECURSIVE names (name) AS (SELECT ({}) UNION ALL SELECT ({}) FROM names WHERE "
      "names.name IS NOT NULL) SELECT name, (SELECT kind FROM aegis_job WHERE state = 'available' "
      "AND limit_key IS NOT NULL AND queue = {} AND limit_key = names.name LIMIT 1) AS kind, "
      "(SELECT "
      "count(*) FROM aegis_job WHERE state = 'running' AND limit_key IS NOT NULL AND limit_key = "
      "names.name) AS running FROM "
      "names WHERE name IS NOT NULL LIMIT $3",
      next_limit(w.text(2)), next_limit("names.name"), w.text(1));
  hold_limit = fmt::format(
      "INSERT INTO aegis_job_limit (name, tokens, filled_at) VALUES ({0}, {1}, {2}) ON CONFLICT "
      "(name) DO UPDATE SET tokens = {3}, filled_at = {4} RETURNING tokens",
      w.text(2), w.real(3), now,
      w.smaller(w.real(3),
                fmt::format("aegis_job_limit.tokens + {} * {}", w.real(4),
                            w.larger("0", w.milliseconds_since("aegis_job_limit.filled_at")))),
      w.larger("aegis_job_limit.filled_at", now));
  limit_running =
      "SELECT count(*) FROM aegis_job WHERE state = 'running' AND limit_key IS NOT NULL AND "
      "limit_key = $1";
  spend_tokens = "UPDATE aegis_job_limit SET tokens = tokens - $2 WHERE name = $1";
  forget_limits = fmt::format(
      "DELETE FROM aegis_job_limit WHERE filled_at < {0} AND (name = {1} OR substr(name, 1, "
      "length({1}) + 1) = {1} || ':')",
      w.later("-$3"), w.text(2));

  forget_unknown_limits = fmt::format(
      "DELETE FROM aegis_job_limit WHERE filled_at < {} AND NOT EXISTS (SELECT 1 FROM aegis_worker "
      "CROSS JOIN {} WHERE aegis_job_limit.name = known.value OR substr(aegis_job_limit.name, 1, "
      "length(known.value) + 1) = known.value || ':')",
      w.later("-2592000000"),
      w.postgresql() ? "json_array_elements_text(aegis_worker.kinds::json) AS known (value)"
                     : "json_each(aegis_worker.kinds) AS known");

  finish = jobs::finish(
      w, fence,
      fmt::format("{}, coalesce({}, error), {}, coalesce({}, progress), coalesce({}, message)",
                  w.text(5), w.text(6), w.text(7), w.real(8), w.text(9)));
  constexpr std::string_view as_completed = "'completed', error, output, progress, message";
  constexpr std::string_view same =
      "id = job AND starts = nth AND lease = $2 AND state = 'running'";
  complete_many =
      w.postgresql()
          ? fmt::format(
                "WITH gone AS (DELETE FROM aegis_job USING {} AS done WHERE {} RETURNING "
                "aegis_job.*) INSERT INTO aegis_job_finished ({}, state, error, output, "
                "progress, message, finished_at) SELECT {}, {}, {} FROM gone RETURNING id",
                w.attempts(3), same, kept, kept, as_completed, now)
          : jobs::finish(w, same, as_completed, w.attempts(3) + " AS done CROSS JOIN aegis_job");
  if (!w.postgresql()) {
    forget = fmt::format("DELETE FROM aegis_job WHERE {}", w.among_numbers("id", 1));
  }
  const auto again = [&](std::string_view state, std::string_view more) {
    return fmt::format(
        "UPDATE aegis_job SET state = CASE WHEN $5 > 0 THEN '{}' ELSE 'available' "
        "END, run_at = CASE WHEN $5 > 0 THEN {} ELSE run_at END, lease = NULL, "
        "error = coalesce({}, error){} WHERE {} AND NOT cancel_requested",
        state, w.later("$5"), w.text(6), more, fence);
  };
  retry = again("retryable", "");
  snooze = again("scheduled", ", attempt = attempt - 1");
  // Those that are to be cancelled lose their worker: whoever rescues them ends them.
  release_all =
      "UPDATE aegis_job SET state = 'available', attempt = attempt - 1, lease = NULL "
      "WHERE lease = $1 AND state = 'running' AND NOT cancel_requested RETURNING queue";
  progress = fmt::format(
      "UPDATE aegis_job SET progress = coalesce({}, progress), message = "
      "coalesce({}, message) WHERE id = $1 AND lease = $2 AND state = 'running'",
      w.real(3), w.text(4));

  sign_on = fmt::format(
      "INSERT INTO aegis_worker (id, name, started_at, lease_until, concurrency, "
      "running, queues, kinds) VALUES ($2, $3, {}, {}, $5, 0, $6, $7)",
      now, w.later("$4"));
  renew = fmt::format("UPDATE aegis_worker SET lease_until = {}, running = $4 WHERE id = $2",
                      w.later("$3"));
  running =
      "SELECT id, starts AS start, lease, attempt FROM aegis_job WHERE lease = $1 AND state = "
      "'running'";
  cancel_requests =
      "SELECT id FROM aegis_job WHERE lease = $1 AND state = 'running' AND cancel_requested";
  anyone_lost = fmt::format(
      "SELECT EXISTS (SELECT 1 FROM aegis_worker WHERE lease_until < {}) OR "
      "EXISTS (SELECT 1 FROM aegis_job WHERE state = 'running' AND {})",
      now, no_worker);
  // Rows that a worker has locked are passed over: its transaction may yet succeed, and a frozen
  // one is not waited for.
  end_leases = fmt::format(
      "DELETE FROM aegis_worker WHERE {} RETURNING name",
      w.locked("id", fmt::format("SELECT id FROM aegis_worker WHERE lease_until < {}", now)));
  orphans = fmt::format(
      "SELECT id, queue, attempt, starts, max_attempts, lease, cancel_requested FROM "
      "aegis_job WHERE state = 'running' AND {} LIMIT 1000{}",
      no_worker, w.postgresql() ? " FOR UPDATE SKIP LOCKED" : "");

  next_due = fmt::format(
      "SELECT {} FROM (SELECT min(run_at) AS due FROM aegis_job WHERE state IN "
      "('scheduled', 'retryable')) AS next",
      w.milliseconds_until("due"));
  promote = fmt::format(
      "UPDATE aegis_job SET state = 'available' WHERE {} RETURNING queue",
      w.locked("id", fmt::format("SELECT id FROM aegis_job WHERE state IN ('scheduled', "
                                 "'retryable') AND run_at <= {} ORDER BY run_at LIMIT $2",
                                 now)));
  expired = fmt::format(
      "SELECT id FROM aegis_job WHERE expires_at IS NOT NULL AND expires_at <= {} "
      "AND state <> 'running' LIMIT $2",
      now);
  end_waiting = jobs::finish(
      w, "id = $2 AND state <> 'running'",
      fmt::format("{}, coalesce({}, error), output, progress, message", w.text(3), w.text(4)));
  outdated = fmt::format(
      "WITH RECURSIVE {} SELECT id FROM finished CROSS JOIN aegis_job_finished AS job WHERE queue "
      "= "
      "name AND state = {} AND finished_at < {} LIMIT $4",
      each_queue("finished", "aegis_job_finished", "TRUE"), w.text(2), w.later("-$3"));
  pause = fmt::format(
      "INSERT INTO aegis_queue (name, paused_at) VALUES ($2, {0}) ON CONFLICT "
      "(name) DO UPDATE SET paused_at = coalesce(aegis_queue.paused_at, {0})",
      now);
  workers = fmt::format("SELECT running FROM aegis_worker WHERE lease_until >= {}", now);
  constexpr std::string_view free = "state = 'available' AND limit_key IS NULL";
  constexpr std::string_view limited_ones = "state = 'available' AND limit_key IS NOT NULL";
  constexpr std::string_view failed_once = "state = 'retryable'";
  const auto some = [](std::string_view what, std::string_view from, std::string_view which,
                       std::string_view more = "") {
    return fmt::format("SELECT {} FROM {} WHERE queue = name AND {}{} LIMIT {}", what, from, which,
                       more, most_counted);
  };
  const std::string available =
      fmt::format("SELECT * FROM ({}) AS a UNION ALL SELECT * FROM ({}) AS b",
                  some("run_at", "aegis_job", free), some("run_at", "aegis_job", limited_ones));
  const std::string dead = some("1", "aegis_job_finished", "state = 'dead'",
                                fmt::format(" AND finished_at > {}", w.later("-$2")));
  const auto newest = [&](std::string_view state, int good) {
    return fmt::format(
        "SELECT * FROM (SELECT attempt, {} AS good, finished_at FROM aegis_job_finished WHERE "
        "queue "
        "= name AND state = '{}' AND finished_at > {} ORDER BY finished_at DESC LIMIT {}) AS {}",
        good, state, w.later("-$2"), most_sampled, state);
  };
  const std::string sample = fmt::format(
      "SELECT attempt, good FROM (SELECT * FROM ({} UNION ALL {}) AS ended ORDER BY finished_at "
      "DESC LIMIT {}) AS newest UNION ALL SELECT * FROM (SELECT attempt, 0 AS good FROM aegis_job "
      "WHERE queue = name AND {} LIMIT {}) AS again",
      newest("completed", 1), newest("dead", 0), most_sampled, failed_once, most_sampled);
  queues = fmt::format(
      "WITH RECURSIVE {}, {}, {}, {}, names (name) AS (SELECT name FROM free UNION SELECT name "
      "FROM "
      "limited UNION SELECT name FROM retryable UNION SELECT name FROM finished UNION SELECT name "
      "FROM aegis_queue), counted AS (SELECT name, EXISTS (SELECT 1 FROM aegis_queue WHERE "
      "aegis_queue.name = names.name AND paused_at IS NOT NULL) AS paused, (SELECT count(*) FROM "
      "({}) AS few) AS available, (SELECT count(*) FROM ({}) AS few) AS retryable, (SELECT "
      "count(*) FROM ({}) AS few) AS dead, coalesce(-{}, 0) AS oldest_ms, (SELECT "
      "CAST(coalesce(sum(attempt), 0) AS BIGINT) FROM ({}) AS few) AS attempts, (SELECT "
      "CAST(coalesce(sum(attempt - good), 0) AS BIGINT) FROM ({}) AS few) AS failed FROM names "
      "WHERE name IS NOT NULL) SELECT * FROM counted WHERE paused OR available + retryable + dead "
      "> "
      "0 ORDER BY name",
      each_queue("free", "aegis_job", free), each_queue("limited", "aegis_job", limited_ones),
      each_queue("retryable", "aegis_job", failed_once),
      each_queue("finished", "aegis_job_finished", "TRUE"), available,
      some("1", "aegis_job", failed_once), dead,
      w.milliseconds_until(fmt::format("(SELECT min(run_at) FROM ({}) AS few)", available)), sample,
      sample);
  forget_finished =
      fmt::format("DELETE FROM aegis_job_finished WHERE {}", w.among_numbers("id", 1));
  forget_steps = fmt::format("DELETE FROM aegis_job_step WHERE {}", w.among_numbers("job_id", 1));
  forget_lines = fmt::format("DELETE FROM aegis_job_line WHERE {}", w.among_numbers("job_id", 1));
}

const Statements& statements(db::Dialect::Id database) {
  using Id = db::Dialect::Id;
  static const Statements sqlite(Id::sqlite), postgresql(Id::postgresql);
  return database == Id::postgresql ? postgresql : sqlite;
}

}  // namespace aegis::jobs
