// What a worker does now and then, for itself and for all: rescue, start what is due, cancel, give
// up, delete, write what jobs report.
#include "jobs/worker_impl.h"

#include <fmt/format.h>

namespace aegis::jobs {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

constexpr Milliseconds housekeeping{1'000};
constexpr Milliseconds clearing_out{60'000};
constexpr Milliseconds reporting{250};

}  // namespace

awaitable<void> Worker::Impl::keep_house() {
  while (!over) {
    Milliseconds pause = housekeeping;
    std::string trouble;
    try {
      if (lease != 0) {
        if (co_await store.rescue() > 0) look_everywhere();
        pause = std::min(pause, co_await start_due());
        co_await cancel_requested();
        co_await give_up_stuck();
      }
    } catch (const std::exception& error) {
      trouble = error.what();
    }
    if (!trouble.empty()) log::debug("housekeeping failed", "error", trouble);
    co_await due.wait(pause);
  }
}

awaitable<Milliseconds> Worker::Impl::start_due() {
  for (;;) {
    const auto next = co_await store.next_due();
    if (!next) co_return housekeeping;
    if (*next > 0) co_return Milliseconds(*next);
    const auto promoted = co_await store.promote(1'000);
    if (promoted == 0) co_return Milliseconds(50);  // another worker is at them
  }
}

awaitable<void> Worker::Impl::cancel_requested() {
  if (attempts.empty()) co_return;
  for (const std::int64_t id : co_await store.cancel_requests(lease)) {
    for (const auto& [key, one] : attempts) {
      if (one.attempt->claim().id == id) one.attempt->stop(Stop::cancelled);
    }
  }
}

awaitable<void> Worker::Impl::give_up_stuck() {
  const auto now = steady_clock::now();
  if (now < cores_looked_at + housekeeping) co_return;
  cores_looked_at = now;
  for (const std::size_t core : cores.look()) {
    for (const auto& [key, one] : attempts) {
      if (one.core != core || !one.attempt->begun()) continue;
      log::error("a job may block its thread", "job", one.attempt->claim().id, "kind",
                 one.attempt->claim().kind, "thread", core);
    }
  }
  for (auto& [key, one] : attempts) {
    if (one.given_up || !cores.blocked(one.core)) continue;
    const Claim& claim = one.attempt->claim();
    const auto begun = one.attempt->begun();
    const bool overdue =
        begun && claim.timeout.count() > 0 && now > *begun + claim.timeout + options.grace;
    const bool never_began = !begun && now > one.dispatched + options.grace;
    if (!overdue && !never_began) continue;
    one.attempt->stop(overdue ? Stop::timeout : Stop::shutdown);
    if (never_began && one.attempt->begun()) continue;  // at the last moment: it ends by itself
    one.given_up = true;
    free_slot(claim);
    Ending ending{.how = Ending::How::released};
    if (overdue) {
      ending =
          failed_ending(one.attempt->kind(), claim,
                        fmt::format("blocks its thread, and did not end {} ms after its timeout",
                                    options.grace.count()));
      log::error("a job blocks its thread and is given up", "job", claim.id, "kind", claim.kind,
                 "becomes", to_string(ending.how));
    }
    given_up.emplace_back(one.attempt->fence(), std::move(ending));
  }
  co_await record_given_up();
}

awaitable<void> Worker::Impl::record_given_up() {
  if (given_up.empty()) co_return;
  co_await store.end(given_up);
  std::vector<std::int64_t> ids;
  for (const auto& [fence, ending] : given_up) {
    held.erase(fence);
    ids.push_back(fence.id);
  }
  given_up.clear();
  look_everywhere();
  co_await store.follow_up(std::move(ids));
}

awaitable<void> Worker::Impl::keep_clear() {
  while (!over) {
    co_await clearing.wait(clearing_out);
    if (lease == 0 || over) continue;
    try {
      co_await clear_out();
    } catch (const std::exception& error) {
      log::debug("old jobs could not be deleted", "error", error.what());
    }
  }
}

awaitable<void> Worker::Impl::clear_out() {
  while (!over && co_await store.expire(1'000) == 1'000) continue;
  co_await store.follow_up_stalled();
  co_await store.forget_limits(all_kinds);
  co_await store.forget_old_keys();
  const std::array<std::pair<const char*, Milliseconds>, 3> ages{
      {{"completed", options.keep_completed},
       {"cancelled", options.keep_cancelled},
       {"dead", options.keep_dead}}};
  for (const auto& [state, age] : ages) {
    // In bites, so that nobody waits long for the locks.
    while (!over && co_await store.prune(state, age, 1'000) == 1'000) continue;
  }
}

awaitable<void> Worker::Impl::report() {
  while (!over) {
    co_await reports_due.wait(reporting);
    std::vector<Store::Report> reports;
    for (const auto& [key, one] : attempts) {
      auto found = one.attempt->take_reports();
      if (found.empty()) continue;
      reports.push_back(
          {one.attempt->fence(), found.progress, std::move(found.message), std::move(found.lines)});
    }
    if (reports.empty()) continue;
    try {
      co_await store.report(reports);
    } catch (const std::exception& error) {
      log::debug("the reports of jobs could not be written", "error", error.what());
    }
  }
}

}  // namespace aegis::jobs
