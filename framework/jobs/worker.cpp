#include "jobs/worker.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/db/listener.h"
#include "core/run_on.h"
#include "jobs/attempt.h"
#include "jobs/cores.h"
#include "jobs/limited_fetch.h"

namespace aegis::jobs {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

namespace {

constexpr std::int64_t most_unrecorded = 2'000;  // endings: beyond, no more jobs are fetched
constexpr std::size_t most_in_statement = 1'000;
constexpr Milliseconds housekeeping{1'000};
constexpr Milliseconds clearing_out{60'000};
constexpr Milliseconds reporting{250};

std::int64_t random_lease() {
  std::random_device random;
  std::uniform_int_distribution<std::int64_t> any(1, std::numeric_limits<std::int64_t>::max());
  return any(random);
}

std::string process_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}:{}", host.data(), ::getpid());
}

/// What one coroutine waits for, and others of the same thread bring about.
class Signal {
 public:
  explicit Signal(asio::io_context& context) : timer_(context) {}

  void notify() {
    pending_ = true;
    timer_.cancel();
  }
  /// Until notify(), also an earlier one, or until the time is up.
  awaitable<void> wait(steady_clock::duration time) {
    if (!pending_) {
      timer_.expires_after(time);
      co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    pending_ = false;
  }

 private:
  asio::steady_timer timer_;
  bool pending_ = false;
};

awaitable<void> nothing() {
  co_return;
}

}  // namespace

struct Worker::Impl {
  struct Queue {
    std::string name;
    int limit = 0;
    int running = 0;
    bool look = true;              ///< there may be jobs
    bool look_for_limited = true;  ///< also while no kind that is known has limits
  };

  /// Where other threads leave news. Outlives the worker in their hands.
  struct Inbox {
    explicit Inbox(Impl* owner) : worker(owner) {}
    std::mutex mutex{};
    Impl* worker;  ///< null once it ends
    std::vector<std::shared_ptr<Attempt>> ended{};
    std::vector<std::string> queues{};
    bool due = false;
    bool posted = false;

    template <class F>
    void leave(F put) {
      const std::lock_guard lock(mutex);
      if (!worker) return;
      put(*this);
      if (std::exchange(posted, true)) return;
      asio::post(worker->context, [self = worker] { self->collect(); });
    }
  };

  Impl(Runtime& runtime, Database& db, const Services& found, std::vector<const JobKind*> known,
       WorkerOptions given)
      : cores(runtime),
        store(db),
        limited_fetch(store, known),
        all_kinds(known),
        services(found),
        options(std::move(given)),
        inbox(std::make_shared<Inbox>(this)) {
    for (const JobKind* kind : known) {
      registration.kinds.emplace_back(kind->name);
      kinds.emplace(kind->name, kind);
    }
    kinds_json = to_json(registration.kinds);
    for (const auto& queue : options.queues) {
      registration.queues.push_back(queue.name);
      queues.push_back(
          {.name = queue.name, .limit = queue.limit ? queue.limit : options.concurrency});
    }
    registration.name = process_name();
    registration.length = options.lease;
    registration.concurrency = options.concurrency;
  }

  void start() {
    news = store.hub().listen([inbox = inbox](std::string_view queue, bool later) {
      inbox->leave([&](Inbox& box) {
        if (later) {
          box.due = true;
        } else if (std::ranges::find(box.queues, queue) == box.queues.end()) {
          box.queues.emplace_back(queue);
        }
      });
    });
    spawn("lease", keep_lease());
    spawn("watchdog", watch_lease());
    spawn("fetch", fetch());
    spawn("record", record());
    spawn("housekeeping", keep_house());
    spawn("clearing out", keep_clear());
    spawn("reports", report());
    asio::co_spawn(context, hear(), asio::bind_cancellation_slot(deafen.slot(), asio::detached));
    thread = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "aegis-jobs");
      context.run();
    });
  }

  ~Impl() {
    news.reset();
    {
      const std::lock_guard lock(inbox->mutex);
      inbox->worker = nullptr;
    }
    if (!thread.joinable()) return;
    asio::post(context, [this] { end(); });
    thread.join();
  }

  void spawn(std::string_view name, awaitable<void> task) {
    asio::co_spawn(context, std::move(task), [name](const std::exception_ptr& error) {
      if (!error) return;
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& e) {
        log::error("a part of the worker ended with an exception", "part", name, "error", e.what());
      }
    });
  }

  // The lease.

  awaitable<void> keep_lease() {
    Milliseconds pause{100};
    while (!over) {
      const auto sent = steady_clock::now();
      const std::int64_t before = lease;
      if (before == 0 && draining) co_return;
      bool kept = true;
      std::string trouble;
      try {
        if (before == 0) {
          registration.lease = random_lease();
          co_await store.sign_on(registration);
        } else {
          kept = co_await store.renew(registration, running);
        }
      } catch (const std::exception& error) {
        trouble = error.what();
      }
      if (!trouble.empty()) {
        log::warn("the worker cannot reach its database", "error", trouble);
        pause = std::min<Milliseconds>(pause * 2, options.lease / 5);
        co_await beat.wait(pause);
        continue;
      }
      pause = Milliseconds(100);
      if (before != lease) continue;  // the watchdog was quicker: begin anew
      if (!kept) {
        lose_lease();
        continue;
      }
      // Not the whole lease: what is to be stopped needs time for it.
      trusted_until = sent + options.lease * 4 / 5;
      if (before == 0) {
        lease = registration.lease;
        log::info("the worker runs jobs", "queues",
                  fmt::format("{}", fmt::join(registration.queues, ",")), "concurrency",
                  options.concurrency);
        look_everywhere();
        due.notify();
      }
      watch.notify();
      co_await beat.wait(options.lease / 5);
    }
  }

  awaitable<void> watch_lease() {
    while (!over) {
      const auto now = steady_clock::now();
      if (lease != 0 && now >= trusted_until) lose_lease();
      co_await watch.wait(lease == 0 ? options.lease : trusted_until - now);
    }
  }

  // Others may start its jobs soon: they stop here before that.
  void lose_lease() {
    if (lease == 0) return;
    log::error("the worker lost its lease: its jobs are stopped, others will run them", "running",
               running);
    lease = 0;
    for (const auto& [key, one] : attempts) one.attempt->stop(Stop::lease_lost);
    beat.notify();
  }

  // Getting jobs.

  // What other processes have enqueued. When nothing can be heard, looking now and then must do.
  awaitable<void> hear() {
    Listener listener = store.database().listen({std::string(news_channel)});
    while (!over) {
      const Notification heard = co_await listener.next();
      if (heard.missed) {
        look_everywhere();
        continue;
      }
      const auto name = store.hub().heard(heard.payload);
      if (!name) continue;
      const auto queue = std::ranges::find(queues, *name, &Queue::name);
      if (queue == queues.end()) continue;
      queue->look = true;
      if (room(*queue) > 0) wanted.notify();
    }
  }

  void look_everywhere() {
    for (Queue& queue : queues) queue.look = true;
    wanted.notify();
  }

  int room(const Queue& queue) const {
    const std::int64_t backlog = std::ssize(unrecorded) + recording;
    if (!cores.any()) return 0;
    return static_cast<int>(std::min<std::int64_t>(
        {options.concurrency - running, queue.limit - queue.running, most_unrecorded - backlog}));
  }

  awaitable<void> fetch() {
    std::size_t first = 0;
    auto polled = steady_clock::now();
    while (!draining && !over) {
      co_await give_back_strays();
      bool any = false;
      for (std::size_t i = 0; i < queues.size() && lease != 0 && !draining; ++i) {
        Queue& queue = queues[(first + i) % queues.size()];
        const int free = room(queue);
        if (!queue.look || free <= 0) continue;
        queue.look = false;
        std::string trouble;
        try {
          const std::int64_t under = lease;
          fetching = true;
          auto claims = co_await get(queue, free, under);
          queue.look = queue.look || std::ssize(claims) == free;
          any = any || !claims.empty();
          dispatch(queue, std::move(claims), under);
        } catch (const std::exception& error) {
          trouble = error.what();
        }
        fetching = false;
        if (draining) idle.notify();
        if (trouble.empty()) continue;
        log::warn("jobs could not be fetched", "queue", queue.name, "error", trouble);
        strays_looked_for = {};  // they may have been, and the answer was lost
        queue.look = true;
        co_await wanted.wait(500ms);
      }
      first = queues.empty() ? 0 : (first + 1) % queues.size();
      const auto next = std::min(polled + options.poll, tokens_at);
      if (!any) {
        co_await wanted.wait(std::max<steady_clock::duration>(next - steady_clock::now(), 1ms));
      }
      if (steady_clock::now() >= next) {
        polled = steady_clock::now();
        tokens_at = steady_clock::time_point::max();
        for (Queue& queue : queues) queue.look = queue.look_for_limited = true;
      }
    }
  }

  // Jobs that the database gave to this worker and that never arrived here, since a connection
  // broke or another fetch of the same round failed. Only where no fetch is on its way.
  awaitable<void> give_back_strays() {
    const auto now = steady_clock::now();
    if (lease == 0 || now < strays_looked_for + options.lease) co_return;
    strays_looked_for = now;
    std::string trouble;
    try {
      std::vector<std::pair<Fence, Ending>> endings;
      for (const Fence& fence : co_await store.running(lease)) {
        if (!held.contains(fence))
          endings.emplace_back(fence, Ending{.how = Ending::How::released});
      }
      if (!endings.empty()) {
        log::warn("jobs that never arrived here are given back", "jobs", endings.size());
        co_await store.end(endings);
        look_everywhere();
      }
    } catch (const std::exception& error) {
      trouble = error.what();
    }
    if (trouble.empty()) co_return;
    strays_looked_for = {};
    log::debug("it is not known which jobs run here", "error", trouble);
  }

  // Those with limits and those without go first by turns, so that neither holds the others up.
  awaitable<std::vector<Claim>> get(Queue& queue, std::int64_t free, std::int64_t under) {
    std::vector<Claim> claims;
    limited_first = !limited_first;
    for (const bool limited : {limited_first, !limited_first}) {
      const std::int64_t left = free - std::ssize(claims);
      if (left <= 0) break;
      std::vector<Claim> some;
      if (!limited) {
        some = co_await store.fetch(under, queue.name, left, kinds_json);
      } else if (limited_fetch.any_limits() || queue.look_for_limited) {
        auto found = co_await limited_fetch.fetch(under, queue.name, left);
        if (found.wait) tokens_at = std::min(tokens_at, steady_clock::now() + *found.wait);
        some = std::move(found.claims);
        queue.look_for_limited = !some.empty();
      }
      std::ranges::move(some, std::back_inserter(claims));
    }
    co_return claims;
  }

  void dispatch(Queue& queue, std::vector<Claim> claims, std::int64_t under) {
    if (lease != under) return;  // lost meanwhile: they are for others
    std::vector<std::vector<std::shared_ptr<Attempt>>> batches(cores.size());
    for (Claim& claim : claims) {
      const auto kind = kinds.find(claim.kind);
      const std::size_t core = cores.next();
      auto attempt = std::make_shared<Attempt>(store, services, *kind->second, std::move(claim),
                                               under, cores.executor(core));
      // The very attempt that is here already: the server crashed and forgot that it gave it out.
      if (!held.insert(attempt->fence()).second) continue;
      attempts.emplace(attempt.get(), Running{attempt, core, steady_clock::now()});
      ++queue.running;
      ++running;
      batches[core].push_back(std::move(attempt));
    }
    for (std::size_t core = 0; core < cores.size(); ++core) {
      if (batches[core].empty()) continue;
      asio::post(cores.executor(core), [batch = std::move(batches[core]), inbox = inbox] {
        for (const auto& attempt : batch) {
          attempt->start([inbox](const std::shared_ptr<Attempt>& one) {
            inbox->leave([&](Inbox& box) { box.ended.push_back(one); });
          });
        }
      });
    }
  }

  // News of other threads.

  void collect() {
    std::vector<std::shared_ptr<Attempt>> done;
    std::vector<std::string> filled;
    bool is_due = false;
    {
      const std::lock_guard lock(inbox->mutex);
      inbox->posted = false;
      done.swap(inbox->ended);
      filled.swap(inbox->queues);
      is_due = std::exchange(inbox->due, false);
    }
    for (auto& attempt : done) collect(std::move(attempt));
    for (Queue& queue : queues) {
      if (std::ranges::find(filled, queue.name) != filled.end()) queue.look = true;
    }
    if (is_due) due.notify();
    if (!unrecorded.empty()) to_record.notify();
    const auto promising = [this](const Queue& queue) { return queue.look && room(queue) > 0; };
    if (std::ranges::any_of(queues, promising)) wanted.notify();
    if (attempts.empty()) idle.notify();
  }

  void free_slot(const Claim& claim) {
    --running;
    const auto queue = std::ranges::find(queues, claim.queue, &Queue::name);
    if (queue != queues.end()) --queue->running;
  }

  void collect(std::shared_ptr<Attempt> attempt) {
    const auto one = attempts.find(attempt.get());
    const bool counts = !one->second.given_up;
    attempts.erase(one);
    if (!counts) return;  // how it ended has been said for it
    free_slot(attempt->claim());
    const Ending& ending = attempt->ending();
    if (ending.reason && ending.how != Ending::How::released) {
      log::warn("a job did not succeed", "job", attempt->claim().id, "kind", attempt->claim().kind,
                "becomes", to_string(ending.how), "reason", *ending.reason);
    }
    unrecorded.push_back(std::move(attempt));
  }

  // Recording how attempts ended.

  struct Batch {
    std::vector<std::shared_ptr<Attempt>> attempts{};
    std::map<std::int64_t, std::vector<Fence>> completed{};  ///< by lease, no more to say
    std::vector<std::pair<Fence, Ending>> endings{};
    std::vector<Store::Report> reports{};
    bool one_by_one = false;  ///< one of them cannot be stored
  };

  Batch next_batch() {
    Batch batch;
    const std::size_t count = std::min(unrecorded.size(), most_in_statement);
    const auto until = unrecorded.begin() + static_cast<std::ptrdiff_t>(count);
    batch.attempts.assign(unrecorded.begin(), until);
    unrecorded.erase(unrecorded.begin(), until);
    recording = static_cast<std::int64_t>(count);
    for (const auto& attempt : batch.attempts) {
      auto reports = attempt->take_reports();
      Ending ending = attempt->ending();
      ending.progress = reports.progress;
      ending.message = reports.message;
      if (!reports.lines.empty()) {
        batch.reports.push_back({.fence = attempt->fence(), .lines = std::move(reports.lines)});
      }
      if (attempt->recorded() || ending.how == Ending::How::lost) continue;
      if (ending.how == Ending::How::released && draining) continue;  // all at once, at the end
      const bool plain = ending.how == Ending::How::completed && !ending.output &&
                         !ending.progress && !ending.message;
      if (plain) {
        batch.completed[attempt->fence().lease].push_back(attempt->fence());
      } else {
        batch.endings.emplace_back(attempt->fence(), std::move(ending));
      }
    }
    return batch;
  }

  awaitable<void> record() {
    while (!over) {
      while (!unrecorded.empty()) {
        Batch batch = next_batch();
        Milliseconds pause{50};
        while (!over) {
          std::string trouble;
          bool lasts = false;
          try {
            co_await write(batch);
          } catch (const std::exception& error) {
            trouble = error.what();
            lasts = is_lasting(error);
          }
          if (trouble.empty()) break;
          if (lasts && !std::exchange(batch.one_by_one, true)) continue;
          log::warn("the ends of jobs could not be recorded yet", "jobs", recording, "error",
                    trouble);
          pause = std::min<Milliseconds>(pause * 2, 2s);
          co_await again.wait(pause);
        }
        recording = 0;
        for (const auto& attempt : batch.attempts) held.erase(attempt->fence());
        look_after(batch.attempts);
        wanted.notify();
      }
      idle.notify();
      co_await to_record.wait(1h);
    }
  }

  // The end of a job with a limit makes room for another.
  void look_after(const std::vector<std::shared_ptr<Attempt>>& ended) {
    for (const auto& attempt : ended) {
      if (!attempt->kind().options.limit.any()) continue;
      const auto queue = std::ranges::find(queues, attempt->claim().queue, &Queue::name);
      if (queue != queues.end()) queue->look = true;
    }
  }

  // Written parts leave the batch, so that another try does not write them again.
  awaitable<void> write(Batch& batch) {
    while (!batch.completed.empty()) {
      const auto& [under, fences] = *batch.completed.begin();
      const auto done = co_await store.complete(under, fences);
      if (done.size() < fences.size()) warn_of_stale(fences.size() - done.size());
      batch.completed.erase(batch.completed.begin());
    }
    if (batch.one_by_one) co_await write_one_by_one(batch);
    if (!batch.endings.empty()) {
      const auto mine = co_await store.end(batch.endings);
      const auto stale = static_cast<std::size_t>(std::ranges::count(mine, false));
      if (stale > 0) warn_of_stale(stale);
      batch.endings.clear();
      due.notify();
    }
    if (!batch.reports.empty()) co_await store.report(batch.reports);
    batch.reports.clear();
    std::vector<std::int64_t> ids;
    for (const auto& attempt : batch.attempts) ids.push_back(attempt->claim().id);
    co_await store.follow_up(std::move(ids));
  }

  // What cannot be stored must not hold up the rest for ever: such an ending loses what it says,
  // and such a line is dropped.
  awaitable<void> write_one_by_one(Batch& batch) {
    while (!batch.endings.empty()) {
      auto& [fence, ending] = batch.endings.back();
      const std::vector<std::pair<Fence, Ending>> one{{fence, ending}};
      const bool stored = co_await try_once(store.end(one), fence);
      if (!stored) {
        const Ending bare{.how = ending.how,
                          .delay = std::min<Milliseconds>(ending.delay, 1min),
                          .reason = fmt::format("attempt {}: what it says of its end cannot be "
                                                "stored; see the log of its worker",
                                                fence.attempt)};
        const std::vector<std::pair<Fence, Ending>> without{{fence, bare}};
        co_await store.end(without);
      }
      batch.endings.pop_back();
      due.notify();
    }
    while (!batch.reports.empty()) {
      const std::vector<Store::Report> one{batch.reports.back()};
      co_await try_once(store.report(one), one.front().fence);
      batch.reports.pop_back();
    }
  }

  // Answers false when it can never succeed.
  template <class T>
  static awaitable<bool> try_once(awaitable<T> written, Fence fence) {
    try {
      co_await std::move(written);
    } catch (const std::exception& error) {
      if (!is_lasting(error)) throw;
      log::error("what a job says cannot be stored", "job", fence.id, "attempt", fence.attempt,
                 "error", error.what());
      co_return false;
    }
    co_return true;
  }

  // Whether another try would fail like this one.
  static bool is_lasting(const std::exception& error) {
    const auto* known = dynamic_cast<const Error*>(&error);
    if (!known) return false;
    switch (known->code()) {
      case Errc::unavailable:
      case Errc::timeout:
      case Errc::try_again:
      case Errc::unknown_outcome:
        return false;
      default:
        return true;
    }
  }

  static void warn_of_stale(std::size_t count) {
    log::warn("ends of attempts did not count: the jobs had been given to others", "attempts",
              count);
  }

  // What any worker does for all.

  awaitable<void> keep_house() {
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

  // Answers how long nothing more is due.
  awaitable<Milliseconds> start_due() {
    for (;;) {
      const auto next = co_await store.next_due();
      if (!next) co_return housekeeping;
      if (*next > 0) co_return Milliseconds(*next);
      const auto promoted = co_await store.promote(1'000);
      if (promoted == 0) co_return Milliseconds(50);  // another worker is at them
    }
  }

  awaitable<void> cancel_requested() {
    if (attempts.empty()) co_return;
    for (const std::int64_t id : co_await store.cancel_requests(lease)) {
      for (const auto& [key, one] : attempts) {
        if (one.attempt->claim().id == id) one.attempt->stop(Stop::cancelled);
      }
    }
  }

  // A job that blocks its thread can be stopped by nobody: neither its own end nor that of others
  // on that thread may be waited for. What it writes later does not count: another attempt has the
  // job.
  awaitable<void> give_up_stuck() {
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

  // What fails here is tried again by the next round.
  awaitable<void> record_given_up() {
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

  // By itself: when there is much to delete, jobs that are due do not wait for it.
  awaitable<void> keep_clear() {
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

  awaitable<void> clear_out() {
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

  awaitable<void> report() {
    while (!over) {
      co_await reports_due.wait(reporting);
      std::vector<Store::Report> reports;
      for (const auto& [key, one] : attempts) {
        auto found = one.attempt->take_reports();
        if (found.empty()) continue;
        reports.push_back({one.attempt->fence(), found.progress, std::move(found.message),
                           std::move(found.lines)});
      }
      if (reports.empty()) continue;
      try {
        co_await store.report(reports);
      } catch (const std::exception& error) {
        log::debug("the reports of jobs could not be written", "error", error.what());
      }
    }
  }

  // The end.

  awaitable<void> drain(Milliseconds limit) {
    draining = true;
    wanted.notify();
    const auto until = steady_clock::now() + limit;
    co_await wait_for_idle(until);
    if (!attempts.empty()) {
      log::warn("jobs did not end in time and are given back", "jobs", attempts.size());
      for (const auto& [key, one] : attempts) one.attempt->stop(Stop::shutdown);
      co_await wait_for_idle(steady_clock::now() + std::max<Milliseconds>(limit / 10, 200ms));
    }
    const std::int64_t until_now = std::exchange(lease, 0);
    std::string trouble;
    try {
      if (until_now != 0) co_await store.sign_off(until_now);
    } catch (const std::exception& error) {
      trouble = error.what();
    }
    if (!trouble.empty()) {
      log::warn("the worker could not sign off: its jobs start elsewhere when its lease ends",
                "error", trouble);
    }
    end();
  }

  awaitable<void> wait_for_idle(steady_clock::time_point until) {
    for (;;) {
      if (!fetching && attempts.empty() && unrecorded.empty() && recording == 0) co_return;
      const auto now = steady_clock::now();
      if (now >= until) co_return;
      co_await idle.wait(until - now);
    }
  }

  void end() {
    over = true;
    deafen.emit(asio::cancellation_type::terminal);
    for (Signal* signal :
         {&beat, &watch, &wanted, &to_record, &again, &due, &reports_due, &clearing}) {
      signal->notify();
    }
  }

  Cores cores;  // used on the worker's own thread only
  Store store;
  LimitedFetch limited_fetch;
  const std::vector<const JobKind*> all_kinds;
  const Services& services;
  const WorkerOptions options;
  std::map<std::string, const JobKind*, std::less<>> kinds;
  std::string kinds_json;
  Registration registration{};
  const std::shared_ptr<Inbox> inbox;
  std::shared_ptr<void> news;

  // On the worker's own thread only, from here on.
  asio::io_context context{1};
  Signal beat{context}, watch{context}, wanted{context}, to_record{context}, again{context},
      due{context}, reports_due{context}, clearing{context}, idle{context};
  std::int64_t lease = 0;  ///< 0: none, so that nothing may start
  steady_clock::time_point trusted_until{};
  asio::cancellation_signal deafen;  ///< ends hear()
  std::vector<Queue> queues{};
  struct Running {
    std::shared_ptr<Attempt> attempt;
    std::size_t core;
    steady_clock::time_point dispatched;
    bool given_up = false;
  };
  std::unordered_map<Attempt*, Running> attempts{};
  std::vector<std::shared_ptr<Attempt>> unrecorded{};
  std::set<Fence> held{};  ///< attempts from their arrival until their end is recorded
  std::vector<std::pair<Fence, Ending>> given_up{};  ///< that are still to be recorded
  steady_clock::time_point strays_looked_for{};
  std::int64_t recording = 0;  ///< how many are being written
  bool limited_first = false;
  steady_clock::time_point cores_looked_at{};
  steady_clock::time_point tokens_at = steady_clock::time_point::max();  ///< a limit allows more
  int running = 0;
  bool fetching = false;
  bool draining = false, over = false;
  std::thread thread;
};

Worker::Worker(Runtime& runtime, Database& database, const Services& services,
               std::vector<const JobKind*> kinds, WorkerOptions options)
    : impl_(std::make_unique<Impl>(runtime, database, services, std::move(kinds),
                                   std::move(options))) {}

Worker::~Worker() = default;

void Worker::start() {
  impl_->start();
}

awaitable<void> Worker::drain(std::chrono::milliseconds limit) {
  if (!impl_->thread.joinable()) return nothing();  // never started
  return run_on(asio::any_io_executor(impl_->context.get_executor()), impl_->drain(limit));
}

}  // namespace aegis::jobs
