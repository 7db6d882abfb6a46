#include "jobs/admin.h"

#include <fmt/format.h>

#include "jobs/tables.h"

namespace aegis::jobs {

namespace {

constexpr std::string_view common =
    "id, kind, queue, state, priority, attempt, max_attempts, run_at, created_at, started_at, "
    "arguments, tags, progress, message, error, output";

bool is_finished(const JobInfo& job) {
  return job.finished_at.has_value();
}

/// The conditions of a filter, and what their parameters, from $1 on, are.
struct Where {
  explicit Where(const JobFilter& filter) {
    const auto add = [this](std::string_view column, const auto& value) {
      if (!value) return;
      values.push_back(to_value(detail::cell_of(*value)));
      text += fmt::format("{}{} = ${}", text.empty() ? " WHERE " : " AND ", column, values.size());
    };
    add("state", filter.state);
    add("kind", filter.kind);
    add("queue", filter.queue);
    add("id", filter.id);
  }
  std::string text{};
  std::vector<Value> values{};
};

awaitable<std::vector<JobInfo>> find(Session& s, const JobFilter& filter) {
  const Where where(filter);
  const std::string sql = fmt::format(
      "SELECT * FROM (SELECT {0}, NULL AS finished_at FROM aegis_job{1} UNION ALL SELECT {0}, "
      "finished_at FROM aegis_job_finished{1}) AS jobs ORDER BY id DESC LIMIT {2}",
      common, where.text, filter.limit);
  std::vector<Cell> cells;
  for (const Value& value : where.values) cells.push_back(as_cell(value));
  co_return co_await detail::fetch<std::vector<JobInfo>>(detail::AnyQuery(s, sql, cells));
}

/// Calls `change` on each matching job, in one transaction, and counts those for which it answers
/// true.
template <class F>
awaitable<std::int64_t> for_each(Database& db, const JobFilter& filter, F change) {
  std::int64_t changed = 0;
  auto body = [&](Session& s) -> awaitable<void> {
    changed = 0;  // a body may run again
    for (const JobInfo& job : co_await find(s, filter)) {
      const bool done = co_await change(s, job);
      if (done) ++changed;
    }
  };
  co_await db.session(body);
  co_return changed;
}

awaitable<bool> retry_finished(Session& s, std::int64_t id) {
  constexpr std::string_view kept =
      "id, kind, queue, priority, timeout, arguments, tags, created_at, attempt, error";
  const auto copied = co_await s.execute(
      fmt::format(
          "INSERT INTO aegis_job ({0}, state, run_at, max_attempts, cancel_requested) SELECT "
          "{0}, 'available', finished_at, CASE WHEN max_attempts > attempt THEN "
          "max_attempts ELSE attempt + 1 END, FALSE FROM aegis_job_finished WHERE id = $1",
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

}  // namespace

awaitable<std::vector<JobInfo>> list(Database& db, JobFilter filter) {
  auto body = [&](Session& s) -> awaitable<std::vector<JobInfo>> { return find(s, filter); };
  co_return co_await db.read(body);
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
  co_return co_await db.read(body);
}

awaitable<std::int64_t> retry(Database& db, JobFilter filter) {
  const auto hub = Hub::find(db.begin().driver());
  std::vector<std::string> queues;
  auto change = [&](Session& s, const JobInfo& job) -> awaitable<bool> {
    const bool done = co_await retry_one(s, job);
    if (done) queues.push_back(job.queue);
    co_return done;
  };
  const auto changed = co_await for_each(db, filter, change);
  for (const auto& queue : queues) {
    if (hub) hub->tell(queue);
  }
  co_return changed;
}

awaitable<std::int64_t> cancel(Database& db, JobFilter filter) {
  Store store(db);
  auto change = [&](Session& s, const JobInfo& job) -> awaitable<bool> {
    if (is_finished(job)) co_return false;
    const bool ended = co_await store.end_waiting(s, job.id, "cancelled", "cancelled");
    if (ended) co_return true;
    co_return co_await s.update_all<WaitingJob>()
            .set(WaitingJob::col.cancel_requested, true)
            .where(WaitingJob::col.id == job.id)
            .run() > 0;
  };
  co_return co_await for_each(db, filter, change);
}

awaitable<std::int64_t> erase(Database& db, JobFilter filter) {
  auto change = [&](Session& s, const JobInfo& job) -> awaitable<bool> {
    co_await s.delete_from<JobLine>().where(JobLine::col.job_id == job.id).run();
    if (is_finished(job)) {
      co_return co_await s.delete_from<FinishedJob>().where(FinishedJob::col.id == job.id).run() >
          0;
    }
    co_return co_await s.delete_from<WaitingJob>()
            .where(WaitingJob::col.id == job.id && WaitingJob::col.state != "running")
            .run() > 0;
  };
  co_return co_await for_each(db, filter, change);
}

awaitable<void> pause(Database& db, std::string queue) {
  Store store(db);
  co_await store.set_paused(queue, true);
}

awaitable<void> resume(Database& db, std::string queue) {
  Store store(db);
  co_await store.set_paused(queue, false);
  store.hub().tell(queue);
}

}  // namespace aegis::jobs
