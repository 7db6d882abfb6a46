// How the worker gets jobs and hands them to the cores.
#include "jobs/worker_impl.h"

#include <fmt/format.h>

namespace aegis::jobs {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t most_unrecorded = 2'000;  // endings: beyond, no more jobs are fetched

}  // namespace

awaitable<void> Worker::Impl::hear() {
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

void Worker::Impl::look_everywhere() {
  for (Queue& queue : queues) queue.look = true;
  wanted.notify();
}

int Worker::Impl::room(const Queue& queue) const {
  const std::int64_t backlog = std::ssize(unrecorded) + recording;
  if (!cores.any()) return 0;
  return static_cast<int>(std::min<std::int64_t>(
      {options.concurrency - running, queue.limit - queue.running, most_unrecorded - backlog}));
}

awaitable<void> Worker::Impl::fetch() {
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

awaitable<void> Worker::Impl::give_back_strays() {
  const auto now = steady_clock::now();
  if (lease == 0 || now < strays_looked_for + options.lease) co_return;
  strays_looked_for = now;
  std::string trouble;
  try {
    std::vector<std::pair<Fence, Ending>> endings;
    for (const Fence& fence : co_await store.running(lease)) {
      if (!held.contains(fence)) endings.emplace_back(fence, Ending{.how = Ending::How::released});
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

awaitable<std::vector<Claim>> Worker::Impl::get(Queue& queue, std::int64_t free,
                                                std::int64_t under) {
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

void Worker::Impl::dispatch(Queue& queue, std::vector<Claim> claims, std::int64_t under) {
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

}  // namespace aegis::jobs
