#include "jobs/admin.h"

#include <fmt/format.h>

#include <set>

#include "jobs/tables.h"

namespace aegis::jobs {

namespace {

constexpr std::string_view common =
    "id, kind, queue, state, priority, attempt, max_attempts, run_at, created_at, started_at, "
    "arguments, tags, progress, message, error, output";

constexpr std::int64_t at_once = 500;  // jobs in a transaction

bool is_finished(const JobInfo& job) {
  return job.finished_at.has_value();
}

/// The conditions of a filter, and what their parameters, from $1 on, are.
struct Where {
  explicit Where(const JobFilter& filter) {
    equal("state", filter.state);
    equal("kind", filter.kind);
    equal("queue", filter.queue);
    equal("id", filter.id);
    if (filter.below) add("id < ${}", *filter.below);
    // A tag stands in the JSON as its own JSON string, and nothing else in there looks like it.
    if (filter.tag) {
      std::string quoted;
      append_json(*filter.tag, quoted);
      add("replace(tags, ${}, '') <> tags", quoted);
    }
  }

  std::vector<Cell> cells() const {
    std::vector<Cell> found;
    for (const Value& value : values) found.push_back(as_cell(value));
    return found;
  }

  std::string text{};
  std::vector<Value> values{};

 private:
  void equal(std::string_view column, const auto& value) {
    if (value) add(std::string(column) + " = ${}", *value);
  }
  void add(std::string condition, const auto& value) {
    values.push_back(to_value(detail::cell_of(value)));
    text += text.empty() ? " WHERE " : " AND ";
    text += fmt::format(fmt::runtime(condition), values.size());
  }
};

awaitable<std::vector<JobInfo>> find(Session& s, const JobFilter& filter, std::int64_t limit) {
  const Where where(filter);
  const std::string sql = fmt::format(
      "SELECT * FROM (SELECT {0}, NULL AS finished_at FROM aegis_job{1} UNION ALL SELECT {0}, "
      "finished_at FROM aegis_job_finished{1}) AS jobs ORDER BY id DESC LIMIT {2}",
      common, where.text, limit);
  co_return co_await detail::fetch<std::vector<JobInfo>>(detail::AnyQuery(s, sql, where.cells()));
}

awaitable<bool> retry_finished(Session& s, std::int64_t id) {
  constexpr std::string_view kept =
      "id, kind, queue, priority, timeout, limit_key, arguments, tags, created_at, attempt, "
      "starts, error";
  const auto copied = co_await s.execute(
      fmt::format(
          "INSERT INTO aegis_job ({0}, state, run_at, max_attempts, cancel_requested, run_anyway) "
          "SELECT "
          "{0}, 'available', finished_at, CASE WHEN max_attempts > attempt THEN "
          "max_attempts ELSE attempt + 1 END, FALSE, FALSE FROM aegis_job_finished WHERE id = $1",
          kept),
      id);
  if (copied == 0) co_return false;
  co_await s.execute("DELETE FROM aegis_job_finished WHERE id = $1", id);
  co_return true;
}

awaitable<bool> retry_one(Session& s, const JobInfo& job) {
  if (is_finished(job)) co_return co_await retry_finished(s, job.id);
  co_return co_await s.execute(
      "UPDATE aegis_job SET state = 'available' WHERE id = $1 AND state IN ('scheduled', "
      "'retryable')",
      job.id) > 0;
}

awaitable<bool> cancel_one(Session& s, Store& store, const JobInfo& job) {
  if (is_finished(job)) co_return false;
  for (int round = 0; round < 5; ++round) {  // it may start or stop between the two
    const bool ended = co_await store.end_waiting(s, job.id, "cancelled", "cancelled");
    if (ended) co_return true;
    const auto asked =
        co_await s.update_all<WaitingJob>()
            .set(WaitingJob::col.cancel_requested, true)
            .where(WaitingJob::col.id == job.id && WaitingJob::col.state == "running")
            .run();
    if (asked > 0) co_return true;
  }
  co_return false;
}

// Not one that others wait for: they would forget what became of it.
awaitable<bool> erase_one(Session& s, const JobInfo& job) {
  const auto followers =
      co_await s.select<JobAfter>().where(JobAfter::col.after_id == job.id).count();
  if (followers > 0) co_return false;
  std::int64_t erased = 0;
  if (is_finished(job)) {
    erased = co_await s.delete_from<FinishedJob>().where(FinishedJob::col.id == job.id).run();
  } else {
    erased = co_await s.delete_from<WaitingJob>()
                 .where(WaitingJob::col.id == job.id && WaitingJob::col.state != "running")
                 .run();
  }
  if (erased == 0) co_return false;
  co_await s.delete_from<JobLine>().where(JobLine::col.job_id == job.id).run();
  co_await s.delete_from<JobStep>().where(JobStep::col.job_id == job.id).run();
  co_await s.delete_from<JobAfter>().where(JobAfter::col.job_id == job.id).run();
  co_await s.delete_from<UniqueRow>().where(UniqueRow::col.job_id == job.id).run();
  co_return true;
}

awaitable<bool> reschedule_one(Session& s, Store& store, const JobInfo& job, When when) {
  if (is_finished(job)) co_return false;
  co_return co_await store.reschedule(s, job.id, when.at, when.delay);
}

awaitable<bool> change_one(Session& s, Store& store, JobAction action, const JobInfo& job,
                           When when) {
  switch (action) {
    case JobAction::retry:
      return retry_one(s, job);
    case JobAction::cancel:
      return cancel_one(s, store, job);
    case JobAction::reschedule:
      return reschedule_one(s, store, job, when);
    case JobAction::erase:
      break;
  }
  return erase_one(s, job);
}

}  // namespace

awaitable<std::vector<JobInfo>> list(Database& db, JobFilter filter, std::int64_t limit) {
  auto body = [&](Session& s) -> awaitable<std::vector<JobInfo>> { return find(s, filter, limit); };
  co_return co_await db.session({.read_only = true}, body);
}

awaitable<std::int64_t> count(Database& db, JobFilter filter) {
  const Where where(filter);
  auto body = [&](Session& s) -> awaitable<std::int64_t> {
    const std::string sql = fmt::format(
        "SELECT (SELECT count(*) FROM aegis_job{0}) + (SELECT count(*) FROM aegis_job_finished{0})",
        where.text);
    const auto found =
        co_await detail::fetch<std::vector<std::int64_t>>(detail::AnyQuery(s, sql, where.cells()));
    co_return found.at(0);
  };
  co_return co_await db.session({.read_only = true}, body);
}

awaitable<std::vector<std::string>> lines(Database& db, std::int64_t id) {
  auto body = [&](Session& s) -> awaitable<std::vector<std::string>> {
    std::vector<std::string> texts;
    const auto found = co_await s.select<JobLine>()
                           .where(JobLine::col.job_id == id)
                           .order_by(JobLine::col.id.asc())
                           .all();
    for (const JobLine& line : found) {
      texts.push_back(
          fmt::format("{} attempt {}: {}", aegis::to_string(line.at), line.attempt, line.message));
    }
    co_return texts;
  };
  co_return co_await db.session({.read_only = true}, body);
}

awaitable<std::int64_t> change(Database& db, JobAction action, JobFilter filter,
                               std::function<void(std::int64_t)> tell, When when) {
  std::int64_t looked_at = 0;
  std::int64_t changed = 0;
  if (action == JobAction::retry && !filter.id && !filter.state) {
    for (const char* state : {"dead", "cancelled", "retryable"}) {
      filter.state = state;
      std::int64_t of_state = 0;
      const auto add = [&](std::int64_t count) {
        of_state = count;
        if (tell) tell(looked_at + of_state);
      };
      changed += co_await change(db, action, filter, add);
      looked_at += of_state;
    }
    co_return changed;
  }
  const bool starts = action == JobAction::retry || action == JobAction::reschedule;
  Store store(db);
  std::vector<JobInfo> some;
  std::set<std::string> queues;
  std::vector<std::int64_t> changed_now;
  auto body = [&](Session& s) -> awaitable<void> {
    changed_now.clear();  // a body may run again
    some = co_await find(s, filter, at_once);
    for (const JobInfo& job : some) {
      const bool done = co_await change_one(s, store, action, job, when);
      if (!done) continue;
      changed_now.push_back(job.id);
      queues.insert(job.queue);
    }
  };
  do {
    co_await db.session(body);
    changed += std::ssize(changed_now);
    if (!starts) co_await store.follow_up(changed_now);
    looked_at += std::ssize(some);
    if (!some.empty()) filter.below = some.back().id;
    if (tell) tell(looked_at);
  } while (std::ssize(some) == at_once);
  if (starts) {
    co_await store.tell({queues.begin(), queues.end()});
  }
  co_return changed;
}

awaitable<void> pause(Database& db, std::string queue) {
  Store store(db);
  co_await store.set_paused(queue, true);
}

awaitable<void> resume(Database& db, std::string queue) {
  Store store(db);
  co_await store.set_paused(queue, false);
  co_await store.tell({queue});
}

}  // namespace aegis::jobs
