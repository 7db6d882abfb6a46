// Jobs that do nothing, through Aegis. Prints one line of JSON.
//
//   jobs enqueue URL N       N jobs in bulk: jobs a second
//   jobs drain URL N         N jobs that wait, by one worker, until the database has none: jobs a
//   second jobs million URL N       the same beside a million finished jobs jobs latency URL
//   SECONDS 200 jobs a second, each in a session of its own, from the call of enqueue
//                            until run() begins: microseconds
//
// The tables must not exist.

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <vector>

#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "aegis/jobs/job.h"
#include "jobs/tables.h"
#include "jobs/worker.h"

using namespace aegis;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

std::int64_t now_ns() {
  return SteadyClock::now().time_since_epoch().count();
}

std::mutex latencies_mutex;
std::vector<double> latencies;  // microseconds

struct Noop {
  std::int64_t sent_ns{};

  AEGIS_FIELDS(Noop, (sent_ns))
  awaitable<void> run(JobContext&) {
    if (sent_ns != 0) {
      const std::lock_guard lock(latencies_mutex);
      latencies.push_back(static_cast<double>(now_ns() - sent_ns) / 1000);
    }
    co_return;
  }
};

awaitable<void> enqueue(Database& db, std::int64_t count) {
  const std::vector<Noop> jobs(static_cast<std::size_t>(count));
  auto body = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(jobs); };
  co_await db.session(body);
}

awaitable<void> wait(std::chrono::nanoseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

awaitable<void> all_done(Database& db) {
  for (;;) {
    const auto left = co_await db.read([](Session& s) -> awaitable<std::vector<std::int64_t>> {
      return s.query<std::int64_t>("SELECT 1 FROM aegis_job LIMIT 1");
    });
    if (left.empty()) co_return;
    co_await wait(5ms);
  }
}

// In parts: SQLite ends a session that writes for too long.
awaitable<void> a_million_finished(Database& db) {
  for (std::int64_t first = 100'000'000; first < 101'000'000; first += 50'000) {
    auto body = [&](Session& s) -> awaitable<void> {
      co_await s.execute(
          "INSERT INTO aegis_job_finished (id, kind, queue, state, priority, run_at, created_at, "
          "attempt, starts, max_attempts, timeout, arguments, tags, finished_at) WITH RECURSIVE n "
          "(i) AS "
          "(SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999) SELECT i + $1, 'Noop', "
          "'default', 'completed', 0, '2026-01-01T00:00:00.000000Z', "
          "'2026-01-01T00:00:00.000000Z', 1, 1, 10, 0, '{}', '[]', '2026-01-01T00:00:00.000000Z' "
          "FROM n",
          first);
    };
    co_await db.session(body);
  }
}

struct Bench {
  std::string_view work;
  std::int64_t amount;
  Runtime& runtime;
  Database& db;
  jobs::Worker& worker;
  bool failed = false;

  awaitable<void> run() {
    try {
      co_await measure();
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}\n", error.what());
      failed = true;
    }
    runtime.shutdown();
  }

  awaitable<void> measure() {
    co_await db.create_all(jobs::tables());
    if (work == "million") co_await a_million_finished(db);
    if (work == "latency") {
      co_await measure_latency();
    } else if (work == "enqueue") {
      const auto begin = SteadyClock::now();
      co_await enqueue(db, amount);
      print_rate(begin);
    } else {
      co_await enqueue(db, amount);
      const auto begin = SteadyClock::now();
      worker.start();
      co_await all_done(db);
      print_rate(begin);
    }
  }

  void print_rate(SteadyClock::time_point begin) const {
    const std::chrono::duration<double> took = SteadyClock::now() - begin;
    fmt::print("{{\"per_s\":{:.0f}}}\n", static_cast<double>(amount) / took.count());
  }

  awaitable<void> measure_latency() {
    worker.start();
    co_await wait(500ms);
    const auto begin = SteadyClock::now();
    for (std::int64_t i = 0; i < amount * 200; ++i) {
      co_await wait(begin + i * 5ms - SteadyClock::now());
      const Noop job{.sent_ns = now_ns()};
      auto body = [&](Session& s) -> awaitable<void> { co_await s.enqueue(job); };
      co_await db.session(body);
    }
    co_await all_done(db);
    const std::lock_guard lock(latencies_mutex);
    std::ranges::sort(latencies);
    fmt::print("{{\"p50_us\":{:.0f},\"p99_us\":{:.0f}}}\n", latencies[latencies.size() / 2],
               latencies[latencies.size() * 99 / 100]);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: jobs enqueue|drain|million|latency URL AMOUNT\n");
    return 2;
  }
  log::configure(log::Level::warn);
  Runtime runtime({.threads = 1});
  Database database(runtime, {.url = argv[2]});
  const Services services;
  jobs::Worker worker(
      runtime, database, services, {&job_kind<Noop>()},
      {.queues = {{.name = "default"}}, .concurrency = 1000, .keep_completed = 10'000h});
  runtime.on_drain("worker", [&] { return worker.drain(5s); });
  runtime.on_stop("database", [&] { return database.close(); });
  Bench bench{argv[1], std::atoll(argv[3]), runtime, database, worker};
  runtime.spawn(0, bench.run(), "bench");
  const int code = runtime.run();
  return bench.failed ? 1 : code;
}
