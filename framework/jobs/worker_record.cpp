// Attempts that have ended, and how that is recorded.
#include "jobs/worker_impl.h"

#include <fmt/format.h>

namespace aegis::jobs {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_in_statement = 1'000;

// Whether another try would fail like this one.
bool is_lasting(const std::exception& error) {
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

void warn_of_stale(std::size_t count) {
  log::warn("ends of attempts did not count: the jobs had been given to others", "attempts", count);
}

// Answers false when it can never succeed.
template <class T>
awaitable<bool> try_once(awaitable<T> written, Fence fence) {
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

}  // namespace

void Worker::Impl::collect() {
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

void Worker::Impl::free_slot(const Claim& claim) {
  --running;
  const auto queue = std::ranges::find(queues, claim.queue, &Queue::name);
  if (queue != queues.end()) --queue->running;
}

void Worker::Impl::collect(std::shared_ptr<Attempt> attempt) {
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

Worker::Impl::Batch Worker::Impl::next_batch() {
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
    const bool plain = ending.how == Ending::How::completed && !ending.output && !ending.progress &&
                       !ending.message;
    if (plain) {
      batch.completed[attempt->fence().lease].push_back(attempt->fence());
    } else {
      batch.endings.emplace_back(attempt->fence(), std::move(ending));
    }
  }
  return batch;
}

awaitable<void> Worker::Impl::record() {
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

void Worker::Impl::look_after(const std::vector<std::shared_ptr<Attempt>>& ended) {
  for (const auto& attempt : ended) {
    if (!attempt->kind().options.limit.any()) continue;
    const auto queue = std::ranges::find(queues, attempt->claim().queue, &Queue::name);
    if (queue != queues.end()) queue->look = true;
  }
}

awaitable<void> Worker::Impl::write(Batch& batch) {
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

awaitable<void> Worker::Impl::write_one_by_one(Batch& batch) {
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

}  // namespace aegis::jobs
