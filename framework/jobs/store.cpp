#include "jobs/store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <cmath>
#include <set>
#include <tuple>

#include "aegis/core/log.h"
#include "db/row_reader.h"
#include "jobs/tables.h"

namespace aegis::jobs {
namespace {

/// The rows that a statement reads by itself. Not with Database::read(): what a replica shows may
/// be out of date.
template <class T>
awaitable<std::vector<T>> look(Database& database, std::string_view sql,
                               std::span<const Cell> values) {
  auto body = [&](Session& s) -> awaitable<std::vector<T>> {
    return rows<T>(s, sql, values, false);
  };
  co_return co_await database.session({.read_only = true}, body);
}

template <class Runner>
awaitable<std::int64_t> execute(Runner& runner, std::string_view sql,
                                std::span<const Cell> values) {
  db::NoRows none;
  const db::Outcome outcome = co_await runner.run({sql, values, true}, none);
  co_return outcome.affected;
}

Cell cell(const std::optional<std::string>& text) {
  return text ? Cell(std::string_view(*text)) : Cell();
}
Cell cell(std::optional<double> number) {
  return number ? Cell(*number) : Cell();
}

/// Deletes what a statement could only copy.
template <class Runner>
awaitable<void> forget(Runner& runner, const Statements& sql,
                       const std::vector<std::int64_t>& ids) {
  if (sql.forget.empty() || ids.empty()) co_return;
  const std::string list = json_list(ids);
  const std::array<Cell, 1> values{list};
  co_await execute(runner, sql.forget, values);
}

/// The database answers them in any order.
void sort_by_urgency(std::vector<Claim>& claims) {
  std::ranges::sort(claims, {},
                    [](const Claim& c) { return std::tuple(c.priority, c.run_at, c.id); });
}

std::string_view final_state(Ending::How how) {
  switch (how) {
    case Ending::How::completed:
      return "completed";
    case Ending::How::cancelled:
      return "cancelled";
    default:
      return "dead";
  }
}

template <class Runner>
awaitable<bool> end_with(Runner& runner, const Statements& sql, Cell now, const Fence& fence,
                         const Ending& ending) {
  using How = Ending::How;
  const Cell reason = cell(ending.reason);
  switch (ending.how) {
    case How::completed:
    case How::cancelled:
    case How::dead: {
      const std::array<Cell, 9> values{now,
                                       fence.id,
                                       fence.start,
                                       fence.lease,
                                       final_state(ending.how),
                                       reason,
                                       cell(ending.output),
                                       cell(ending.progress),
                                       cell(ending.message)};
      const auto ids = co_await rows<std::int64_t>(runner, sql.finish, values);
      co_await forget(runner, sql, ids);
      co_return !ids.empty();
    }
    case How::failed:
    case How::snoozed:
    case How::released: {
      const std::int64_t delay = ending.how == How::released ? 0 : ending.delay.count();
      const std::array<Cell, 6> values{now, fence.id, fence.start, fence.lease, delay, reason};
      const bool counts = ending.how == How::failed;
      const auto changed = co_await execute(runner, counts ? sql.retry : sql.snooze, values);
      if (changed == 1) co_return true;
      // Either it is another's by now, or somebody has asked to cancel it.
      const Ending cancelled{.how = How::cancelled,
                             .reason = ending.reason.value_or(
                                 fmt::format("attempt {}: cancelled while it ran", fence.attempt))};
      co_return co_await end_with(runner, sql, now, fence, cancelled);
    }
    case How::lost:
      break;
  }
  co_return false;
}

}  // namespace

std::string_view to_string(Ending::How how) {
  constexpr std::array<std::string_view, 7> names{"completed", "failed",   "dead", "snoozed",
                                                  "cancelled", "released", "lost"};
  return names.at(static_cast<std::size_t>(how));
}

Ending Orphan::ending() const {
  Ending ending{.how = Ending::How::failed,
                .reason = fmt::format("attempt {}: the worker that ran it is gone", attempt)};
  if (attempt >= max_attempts) ending.how = Ending::How::dead;
  if (cancel_requested) ending.how = Ending::How::cancelled;
  return ending;
}

std::string json_list(const std::vector<std::int64_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

awaitable<bool> end_attempt(db::Link& link, const Statements& sql, Cell now, const Fence& fence,
                            const Ending& ending) {
  return end_with(link, sql, now, fence, ending);
}

Store::Store(Database& database)
    : database_(&database),
      driver_(&database.begin().driver()),
      sql_(&statements(driver_->dialect().id())),
      hub_(Hub::of(*driver_)) {}

Cell Store::now() const {
  return hub_->now();
}

awaitable<void> Store::tell(std::vector<std::string> queues) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const std::set<std::string> each(queues.begin(), queues.end());
  for (const auto& queue : each) jobs::tell(*driver_, executor, queue);
}

awaitable<void> Store::sign_on(const Registration& worker) {
  const std::string queues = to_json(worker.queues);
  const std::string kinds = to_json(worker.kinds);
  const std::array<Cell, 7> values{now(),
                                   worker.lease,
                                   worker.name,
                                   std::int64_t{worker.length.count()},
                                   std::int64_t{worker.concurrency},
                                   queues,
                                   kinds};
  auto body = [&](Session& s) -> awaitable<void> { co_await execute(s, sql_->sign_on, values); };
  co_await database_->session(body);
}

awaitable<bool> Store::renew(const Registration& worker, std::int32_t running) {
  const std::array<Cell, 4> values{now(), worker.lease, std::int64_t{worker.length.count()},
                                   std::int64_t{running}};
  auto body = [&](Session& s) -> awaitable<bool> {
    co_return co_await execute(s, sql_->renew, values) == 1;
  };
  co_return co_await database_->session(body);
}

awaitable<void> Store::sign_off(std::int64_t lease) {
  const std::array<Cell, 1> values{lease};
  std::vector<std::string> queues;
  auto body = [&](Session& s) -> awaitable<void> {
    queues = co_await rows<std::string>(s, sql_->release_all, values);
    co_await s.delete_from<WorkerRow>().where(WorkerRow::col.id == lease).run();
  };
  co_await database_->session(body);
  co_await tell(queues);
}

/// Starts jobs, as `sql` says.
awaitable<std::vector<Claim>> Store::claim(Session& s, std::string_view sql,
                                           std::span<const Cell> values) const {
  auto claims = co_await rows<Claim>(s, sql, values);
  std::vector<std::int64_t> started;
  for (const Claim& claim : claims) {
    if (claim.unique_while_waiting) started.push_back(claim.id);
  }
  if (started.empty()) co_return claims;
  const std::string list = json_list(started);
  const std::array<Cell, 1> ids{list};
  co_await execute(s, sql_->free_keys, ids);
  co_return claims;
}

awaitable<std::vector<Claim>> Store::fetch(std::int64_t lease, const std::string& queue,
                                           std::int64_t limit, const std::string& kinds) {
  const std::array<Cell, 5> values{now(), queue, limit, lease, kinds};
  auto body = [&](Session& s) -> awaitable<std::vector<Claim>> {
    return claim(s, sql_->fetch, values);
  };
  auto claims = co_await database_->session(body);
  sort_by_urgency(claims);
  co_return claims;
}

awaitable<std::vector<LimitedJobs>> Store::limited(const std::string& queue,
                                                   const std::string& after, std::int64_t most) {
  const std::array<Cell, 3> values{queue, after, most};
  co_return co_await look<LimitedJobs>(*database_, sql_->limited, values);
}

awaitable<Store::LimitedClaims> Store::fetch_limited(std::int64_t lease, const std::string& queue,
                                                     std::int64_t limit, const std::string& kinds,
                                                     const std::string& limit_name,
                                                     const Limit& rules) {
  const double burst = rules.burst > 0 ? rules.burst : rules.starts;
  const double per_millisecond =
      rules.starts / static_cast<double>(std::max<std::int64_t>(1, rules.per.count()));
  const std::array<Cell, 4> hold{now(), limit_name, burst, per_millisecond};
  const std::array<Cell, 1> name{limit_name};
  LimitedClaims found;
  auto body = [&](Session& s) -> awaitable<void> {
    found = {};  // a body may run again
    std::int64_t most = limit;
    const auto tokens = co_await rows<double>(s, sql_->hold_limit, hold);
    if (rules.running > 0) {
      const auto running = co_await rows<std::int64_t>(s, sql_->limit_running, name);
      most = std::min(most, rules.running - running.at(0));
    }
    if (rules.starts > 0 && most > 0) {
      const double left = std::max(0.0, tokens.at(0));
      most = std::min(most, static_cast<std::int64_t>(left));
      const double missing = (1 + std::floor(left) - left) / per_millisecond;
      found.wait = std::chrono::milliseconds(static_cast<std::int64_t>(missing) + 1);
    }
    if (most <= 0) co_return;
    const std::array<Cell, 6> values{now(), queue, most, lease, kinds, limit_name};
    found.claims = co_await claim(s, sql_->fetch_limited, values);
    if (rules.starts == 0 || found.claims.empty()) co_return;
    const std::array<Cell, 2> spent{limit_name, static_cast<double>(found.claims.size())};
    co_await execute(s, sql_->spend_tokens, spent);
  };
  co_await database_->session(body);
  sort_by_urgency(found.claims);
  co_return found;
}

awaitable<void> Store::forget_limits(const std::vector<const JobKind*>& kinds) {
  auto body = [&](Session& s) -> awaitable<void> {
    for (const JobKind* kind : kinds) {
      const Limit& rules = kind->options.limit;
      std::chrono::milliseconds unused = std::chrono::hours(24);
      if (rules.starts > 0)
        unused = std::max(unused, rules.per * std::max(1, rules.burst / rules.starts + 1));
      const std::array<Cell, 3> values{now(), kind->name, std::int64_t{unused.count()}};
      co_await execute(s, sql_->forget_limits, values);
    }
    const std::array<Cell, 1> when{now()};
    co_await execute(s, sql_->forget_unknown_limits, when);
  };
  co_await database_->session(body);
}

awaitable<std::vector<std::int64_t>> Store::complete(std::int64_t lease,
                                                     const std::vector<Fence>& attempts) {
  std::string list = "{";
  for (const Fence& fence : attempts) {
    fmt::format_to(std::back_inserter(list), "{}\"{}\":{}", list.size() > 1 ? "," : "", fence.id,
                   fence.start);
  }
  list += '}';
  const std::array<Cell, 3> values{now(), lease, list};
  auto body = [&](Session& s) -> awaitable<std::vector<std::int64_t>> {
    auto ids = co_await rows<std::int64_t>(s, sql_->complete_many, values);
    co_await forget(s, *sql_, ids);
    co_return ids;
  };
  co_return co_await database_->session(body);
}

awaitable<std::vector<bool>> Store::end(const std::vector<std::pair<Fence, Ending>>& endings) {
  std::vector<bool> mine;
  auto body = [&](Session& s) -> awaitable<void> {
    mine.clear();  // a body may run again
    for (const auto& [fence, ending] : endings) {
      mine.push_back(co_await end_with(s, *sql_, now(), fence, ending));
    }
  };
  co_await database_->session(body);
  co_return mine;
}

awaitable<void> Store::report(const std::vector<Report>& reports) {
  std::vector<JobLine> lines;
  for (const Report& report : reports) {
    for (const auto& [at, text] : report.lines) {
      lines.push_back(
          {.job_id = report.fence.id, .attempt = report.fence.attempt, .at = at, .message = text});
    }
  }
  auto body = [&](Session& s) -> awaitable<void> {
    for (const Report& report : reports) {
      if (!report.progress && !report.message) continue;
      const std::array<Cell, 4> values{report.fence.id, report.fence.lease, cell(report.progress),
                                       cell(report.message)};
      co_await execute(s, sql_->progress, values);
    }
    co_await s.insert_all(lines);
  };
  co_await database_->session(body);
}

awaitable<std::vector<std::int64_t>> Store::cancel_requests(std::int64_t lease) {
  const std::array<Cell, 1> values{lease};
  co_return co_await look<std::int64_t>(*database_, sql_->cancel_requests, values);
}

awaitable<std::vector<Fence>> Store::running(std::int64_t lease) {
  const std::array<Cell, 1> values{lease};
  co_return co_await look<Fence>(*database_, sql_->running, values);
}

awaitable<void> Store::follow_up(std::vector<std::int64_t> ended) {
  while (!ended.empty()) {
    const std::string list = json_list(ended);
    const std::array<Cell, 1> ids{list};
    ended = co_await settle(co_await look<std::int64_t>(*database_, sql_->followers, ids));
  }
}

awaitable<void> Store::follow_up_stalled() {
  const auto cancelled =
      co_await settle(co_await look<std::int64_t>(*database_, sql_->stalled, {}));
  co_await follow_up(cancelled);
}

awaitable<std::vector<std::int64_t>> Store::settle(std::vector<std::int64_t> followers) {
  if (followers.empty()) co_return std::vector<std::int64_t>();
  const std::string list = json_list(followers);
  const std::array<Cell, 2> values{now(), list};
  std::vector<std::int64_t> cancelled;
  std::vector<Released> released;
  auto body = [&](Session& s) -> awaitable<void> {
    cancelled.clear();
    const auto doomed =
        co_await rows<FailedBefore>(s, sql_->doomed, std::span(values).subspan(1), false);
    for (const FailedBefore& one : doomed) {
      std::string reason =
          fmt::format("job {}, which it comes after, was not completed", one.cause);
      const bool done = co_await end_waiting(s, one.id, "cancelled", std::move(reason));
      if (done) cancelled.push_back(one.id);
    }
    released = co_await rows<Released>(s, sql_->release, values);
    std::vector<std::int64_t> over;
    for (const Released& one : released) over.push_back(one.id);
    const std::string over_list = json_list(over);
    const std::array<Cell, 1> ids{over_list};
    if (!over.empty()) co_await execute(s, sql_->forget_after, ids);
  };
  co_await database_->session(body);
  std::vector<std::string> queues;
  for (const Released& one : released) queues.push_back(one.queue);
  co_await tell(std::move(queues));
  co_return cancelled;
}

awaitable<bool> Store::hold(Session& session, const Fence& fence) {
  const std::array<Cell, 3> values{fence.id, fence.start, fence.lease};
  const auto ids = co_await rows<std::int64_t>(session, sql_->hold_attempt, values);
  co_return !ids.empty();
}

awaitable<std::int64_t> Store::rescue() {
  const std::array<Cell, 1> values{now()};
  const auto lost = co_await look<std::optional<bool>>(*database_, sql_->anyone_lost, values);
  if (lost.empty() || !lost.front().value_or(false)) co_return 0;

  std::vector<std::string> gone;
  auto end_leases = [&](Session& s) -> awaitable<void> {
    gone = co_await rows<std::string>(s, sql_->end_leases, values);
  };
  co_await database_->session(end_leases);
  for (const auto& name : gone) log::warn("a worker's lease ended", "worker", name);

  std::vector<std::string> queues;
  auto take = [&](Session& s) -> awaitable<void> {
    queues.clear();  // a body may run again
    for (const Orphan& orphan : co_await rows<Orphan>(s, sql_->orphans, {})) {
      const bool done = co_await end_with(s, *sql_, now(), orphan.fence(), orphan.ending());
      if (done) queues.push_back(orphan.queue);
    }
  };
  co_await database_->session(take);
  const auto rescued = std::ssize(queues);
  if (rescued > 0) log::warn("jobs lost their workers and start again", "jobs", rescued);
  co_await tell(std::move(queues));
  co_return rescued;
}

awaitable<std::int64_t> Store::promote(std::int64_t limit) {
  const std::array<Cell, 2> values{now(), limit};
  auto body = [&](Session& s) -> awaitable<std::vector<std::string>> {
    return rows<std::string>(s, sql_->promote, values);
  };
  auto queues = co_await database_->session(body);
  const auto count = std::ssize(queues);
  co_await tell(std::move(queues));
  co_return count;
}

awaitable<std::optional<std::int64_t>> Store::next_due() {
  const std::array<Cell, 1> values{now()};
  const auto due = co_await look<std::optional<std::int64_t>>(*database_, sql_->next_due, values);
  co_return due.empty() ? std::nullopt : due.front();
}

awaitable<std::int64_t> Store::expire(std::int64_t limit) {
  const std::array<Cell, 2> values{now(), limit};
  const auto ids = co_await look<std::int64_t>(*database_, sql_->expired, values);
  std::int64_t ended = 0;
  auto end_all = [&](Session& s) -> awaitable<void> {
    ended = 0;
    for (const std::int64_t id : ids) {
      const bool done = co_await end_waiting(s, id, "cancelled", "expired before it could start");
      if (done) ++ended;
    }
  };
  if (!ids.empty()) co_await database_->session(end_all);
  co_await follow_up(ids);
  co_return ended;
}

awaitable<void> Store::forget_old_keys() {
  const std::array<Cell, 1> values{now()};
  auto body = [&](Session& s) -> awaitable<void> {
    co_await execute(s, sql_->forget_old_keys, values);
  };
  co_await database_->session(body);
}

awaitable<bool> Store::reschedule(Session& session, std::int64_t id, std::optional<Timestamp> at,
                                  std::chrono::milliseconds delay) {
  const std::array<Cell, 4> values{now(), id, at ? Cell(*at) : Cell(), std::int64_t{delay.count()}};
  const auto changed = co_await rows<std::int64_t>(session, sql_->reschedule_job, values);
  co_return !changed.empty();
}

awaitable<bool> Store::end_waiting(Session& session, std::int64_t id, std::string state,
                                   std::string reason) {
  const std::array<Cell, 4> values{now(), id, state, reason};
  const auto done = co_await rows<std::int64_t>(session, sql_->end_waiting, values);
  if (done.empty()) co_return false;
  co_await forget(session, *sql_, done);
  const std::string list = json_list(done);
  const std::array<Cell, 1> ids{list};
  co_await execute(session, sql_->forget_after, ids);
  co_return true;
}

awaitable<void> Store::set_paused(std::string queue, bool paused) {
  const std::array<Cell, 2> values{now(), queue};
  auto body = [&](Session& s) -> awaitable<void> {
    if (paused) {
      co_await execute(s, sql_->pause, values);
    } else {
      co_await s.delete_from<QueueRow>().where(QueueRow::col.name == queue).run();
    }
  };
  co_await database_->session(body);
}

awaitable<Overview> Store::overview() {
  const std::array<Cell, 2> values{now(), std::int64_t{3'600'000}};
  Overview found;
  auto body = [&](Session& s) -> awaitable<void> {
    const std::span<const Cell> all(values);
    const auto running = co_await rows<std::int64_t>(s, sql_->workers, all.first(1), false);
    found.workers = std::ssize(running);
    for (const std::int64_t count : running) found.running += count;
    found.queues = co_await rows<QueueOverview>(s, sql_->queues, all, false);
  };
  co_await database_->session({.read_only = true}, body);
  co_return found;
}

awaitable<std::int64_t> Store::prune(std::string state, std::chrono::milliseconds age,
                                     std::int64_t limit) {
  const std::array<Cell, 4> values{now(), state, std::int64_t{age.count()}, limit};
  const auto ids = co_await look<std::int64_t>(*database_, sql_->outdated, values);
  if (ids.empty()) co_return 0;
  const std::string list = json_list(ids);
  const std::array<Cell, 1> those{list};
  auto erase = [&](Session& s) -> awaitable<void> {
    co_await execute(s, sql_->forget_lines, those);
    co_await execute(s, sql_->forget_steps, those);
    co_await execute(s, sql_->forget_keys, those);
    co_await execute(s, sql_->forget_finished, those);
  };
  co_await database_->session(erase);
  co_return std::ssize(ids);
}

}  // namespace aegis::jobs
