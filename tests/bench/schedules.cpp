// Schedules through Aegis. Prints one line of JSON.
//
//   schedules due URL N       N schedules of one second: how long until all are enqueued
//   schedules queued URL N    the same with overlap=queue, while the jobs of the slots before are
//                             not finished
//   schedules latency URL N   20 schedules of every second, for N seconds: from the slot until its
//                             job runs, which a worker of the same process does; and how late a
//                             bare timer for the same moments is, there and then: microseconds
//   schedules idle URL N      N schedules that are not due, a scheduler for 5 s: share of a core
//
// The tables must not exist.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "aegis/core/clock.h"
#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "jobs/tables.h"
#include "jobs/worker.h"
#include "schedule/scheduler.h"

using namespace aegis;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

std::mutex latencies_mutex;
std::vector<double> latencies;  // microseconds

/// Microseconds since `moment`.
double late(Timestamp moment) {
  return std::chrono::duration<double, std::micro>(Clock::system().now() - moment).count();
}

/// What a share of the values does not exceed.
double share(std::vector<double>& values, double part) {
  std::ranges::sort(values);
  return values.at(static_cast<std::size_t>(static_cast<double>(values.size() - 1) * part));
}

struct Noop {
  AEGIS_FIELDS(Noop)
  awaitable<void> run(JobContext&) {
    const double its = late(std::chrono::floor<std::chrono::seconds>(Clock::system().now()));
    const std::lock_guard lock(latencies_mutex);
    latencies.push_back(its);
    co_return;
  }
};

awaitable<void> wait(std::chrono::nanoseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Bench {
  std::string_view work;
  std::int64_t amount;
  Runtime& runtime;
  Database& db;
  schedule::Scheduler& scheduler;
  jobs::Worker& worker;
  bool failed = false;

  awaitable<void> run() {
    try {
      co_await db.create_all(jobs::tables());
      co_await db.create_all(schedule::tables());
      if (work == "due") co_await measure_due("allow");
      if (work == "queued") co_await measure_due("queue");
      if (work == "latency") co_await measure_latency();
      if (work == "idle") co_await measure_idle();
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}\n", error.what());
      failed = true;
    }
    runtime.shutdown();
  }

  awaitable<void> create(std::int64_t count, std::string timing, std::string overlap = "allow") {
    std::vector<schedule::ScheduleRow> rows;
    for (std::int64_t i = 0; i < count; ++i) {
      auto& row = rows.emplace_back();
      schedule::set_spec(
          row, {.name = std::to_string(i), .kind = "Noop", .timing = timing, .overlap = overlap});
      row.created_at = Clock::system().now();
      schedule::set_next(row, row.created_at);
    }
    auto body = [&](Session& s) -> awaitable<void> { co_await s.insert_all(rows); };
    co_await db.session(body);
  }

  awaitable<std::int64_t> jobs() {
    auto body = [](Session& s) -> awaitable<std::vector<std::int64_t>> {
      return s.query<std::int64_t>("SELECT count(*) FROM aegis_job");
    };
    co_return (co_await db.session({.read_only = true}, body)).at(0);
  }

  awaitable<void> measure_due(std::string overlap) {
    const auto soon = [](std::chrono::seconds time) {
      return std::chrono::ceil<std::chrono::seconds>(Clock::system().now() + time);
    };
    const Timestamp slot = soon(overlap == "queue" ? 8s : 4s);
    std::string timing = "at " + to_string(slot);
    std::int64_t before = 0;
    if (overlap == "queue") {
      timing += ", " + to_string(slot - 4s);
      before = amount;
    }
    co_await create(amount, timing, overlap);
    scheduler.start();
    co_await wait(slot - Clock::system().now());
    if (co_await jobs() != before) throw std::runtime_error("the slots before are not all fired");
    while (co_await jobs() < before + amount) co_await wait(5ms);
    const std::chrono::duration<double> took = Clock::system().now() - slot;
    fmt::print("{{\"per_s\":{:.0f},\"seconds\":{:.3f}}}\n",
               static_cast<double>(amount) / took.count(), took.count());
  }

  awaitable<void> measure_latency() {
    co_await create(20, "* * * * * *");
    scheduler.start();
    worker.start();
    co_await wait(2s);
    {
      const std::lock_guard lock(latencies_mutex);
      latencies.clear();  // of connections that were opened first
    }
    std::vector<double> timers;
    for (std::int64_t i = 0; i < amount; ++i) {
      const Timestamp now = Clock::system().now();
      const Timestamp next = std::chrono::floor<std::chrono::seconds>(now) + 1s;
      co_await wait(next - now);
      timers.push_back(late(next));
    }
    co_await wait(500ms);
    const std::lock_guard lock(latencies_mutex);
    fmt::print(
        "{{\"p50_us\":{:.0f},\"p99_us\":{:.0f},\"timer_p50_us\":{:.0f},\"timer_p99_us\":{:.0f}}}\n",
        share(latencies, 0.5), share(latencies, 0.99), share(timers, 0.5), share(timers, 0.99));
  }

  awaitable<void> measure_idle() {
    co_await create(amount, "0 0 1 1 *");
    scheduler.start();
    co_await wait(2s);
    const double before = cpu_seconds();
    co_await wait(5s);
    fmt::print("{{\"percent\":{:.3f}}}\n", (cpu_seconds() - before) / 5 * 100);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: schedules due|queued|latency|idle URL AMOUNT\n");
    return 2;
  }
  log::configure(log::Level::warn);
  Runtime runtime({.threads = 1});
  Database database(runtime, {.url = argv[2]});
  schedule::Scheduler scheduler(database, {&job_kind<Noop>()}, {});
  runtime.on_drain("scheduler", [&] { return scheduler.drain(); });
  runtime.on_stop("database", [&] { return database.close(); });
  const Services services;
  jobs::Worker worker(runtime, database, services, {&job_kind<Noop>()},
                      {.queues = {{.name = "default"}}});
  runtime.on_drain("worker", [&] { return worker.drain(5s); });
  Bench bench{argv[1], std::atoll(argv[3]), runtime, database, scheduler, worker};
  runtime.spawn(0, bench.run(), "bench");
  const int code = runtime.run();
  return bench.failed ? 1 : code;
}
