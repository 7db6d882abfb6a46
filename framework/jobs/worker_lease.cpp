// The worker's lease: who does not renew it in time stops his jobs, before others start them.
#include "jobs/worker_impl.h"

#include <fmt/format.h>

namespace aegis::jobs {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

std::int64_t random_lease() {
  std::random_device random;
  std::uniform_int_distribution<std::int64_t> any(1, std::numeric_limits<std::int64_t>::max());
  return any(random);
}

}  // namespace

awaitable<void> Worker::Impl::keep_lease() {
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

awaitable<void> Worker::Impl::watch_lease() {
  while (!over) {
    const auto now = steady_clock::now();
    if (lease != 0 && now >= trusted_until) lose_lease();
    co_await watch.wait(lease == 0 ? options.lease : trusted_until - now);
  }
}

void Worker::Impl::lose_lease() {
  if (lease == 0) return;
  log::error("the worker lost its lease: its jobs are stopped, others will run them", "running",
             running);
  lease = 0;
  for (const auto& [key, one] : attempts) one.attempt->stop(Stop::lease_lost);
  beat.notify();
}

}  // namespace aegis::jobs
