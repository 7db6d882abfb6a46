// Schedulers beside each other, and what becomes of slots when some of them die.
#include <cstdlib>
#include <random>

#include "../jobs/ledger.h"
#include "../jobs/process.h"
#include "aegis/core/clock.h"
#include "ground.h"
#include "schedule/scheduler.h"

namespace {

/// Each slot from the first to the one before the next has one run, and each run a job of its own.
awaitable<void> check_ledger(Session& s) {
  const auto rows = co_await s.select<ScheduleRow>().all();
  for (const auto& row : rows) {
    const auto runs = co_await s.select<RunRow>()
                          .where(RunRow::col.schedule == row.name)
                          .order_by(RunRow::col.slot.asc())
                          .all();
    BOOST_TEST(runs.size() > 0, row.name);
    const aegis::schedule::Slots slots(aegis::schedule::spec_of(row), row.created_at);
    auto expected = slots.next(row.created_at);
    int wrong = 0;
    for (const auto& run : runs) {
      if (run.slot != *expected || !run.job_id) ++wrong;
      expected = slots.next(*expected);
    }
    BOOST_TEST(wrong == 0, row.name);
    BOOST_TEST((*expected == *row.slot), row.name);
  }
  const auto jobs = co_await s.query<std::int64_t>("SELECT count(*) FROM aegis_job");
  const auto used =
      co_await s.query<std::int64_t>("SELECT count(DISTINCT job_id) FROM aegis_schedule_run");
  BOOST_TEST(jobs.at(0) == used.at(0));
  const auto runs = co_await s.select<RunRow>().count();
  BOOST_TEST(runs == used.at(0));
}

}  // namespace

DATABASE_TEST(replicas_that_die_and_whose_clocks_differ_fire_each_slot_once) {
  if (ground.one_process()) co_return;
  const int speed = 10;
  const auto epoch = aegis::Clock::system().now();
  FastClock clock(epoch, speed, 0ms);
  co_await db.create_all(aegis::schedule::tables());
  const auto hub = aegis::jobs::Hub::of(db.begin().driver());
  hub->use(&clock);
  aegis::schedule::Store store(db, {&aegis::job_kind<Tick>()});
  for (int i = 0; i < 10; ++i) {
    for (const char* timing : {"every 1s", "*/5 * * * * *", "every 7s from start"}) {
      co_await aegis::schedule::create(store, {.name = timing + std::to_string(i),
                                               .kind = "Tick",
                                               .timing = timing,
                                               .catch_up = "all",
                                               .catch_up_most = 10'000,
                                               .jitter = std::chrono::milliseconds(100 * i)});
    }
  }
  std::minstd_rand random(7);
  std::vector<std::unique_ptr<Process>> replicas;
  for (const int skew : {-3'000, -1'000, 1'500, 3'000}) {
    replicas.push_back(std::make_unique<Process>(
        ground.url(),
        std::vector<std::string>{
            "AEGIS_TEST_EPOCH=" + std::to_string(epoch.time_since_epoch().count()),
            "AEGIS_TEST_SPEED=" + std::to_string(speed), "AEGIS_TEST_SKEW=" + std::to_string(skew)},
        AEGIS_SCHEDULER_PROCESS));
  }
  // At length: five minutes of their time, and more.
  const int rounds = at_length() ? 300 : 15;
  for (int i = 0; i < rounds; ++i) {
    co_await aegis::Clock::system().sleep_for(std::chrono::milliseconds(50 + random() % 300));
    auto& victim = *replicas[random() % replicas.size()];
    victim.kill();
    if (random() % 3 == 0) {
      co_await aegis::Clock::system().sleep_for(std::chrono::milliseconds(random() % 300));
    }
    victim.start();
  }
  auto all_fired = [&]() -> awaitable<bool> {
    auto body = [](Session& s) -> awaitable<std::vector<std::int64_t>> {
      return s.query<std::int64_t>("SELECT count(DISTINCT schedule) FROM aegis_schedule_run");
    };
    co_return (co_await db.session({.read_only = true}, body)).at(0) == 30;
  };
  co_await eventually(all_fired, 60s);
  replicas.clear();
  co_await db.session(check_ledger);
  hub->use(nullptr);
}

DATABASE_TEST(a_scheduler_fires_what_is_created_while_it_sleeps) {
  co_await db.create_all(aegis::schedule::tables());
  aegis::schedule::Store store(db, {&aegis::job_kind<Tick>()});
  Schedules declared;
  declared.cron<Tick>("yearly", "@yearly");
  using aegis::schedule::Scheduler, aegis::schedule::SchedulerOptions;
  const auto scheduler =
      std::make_shared<Scheduler>(db, std::vector{&aegis::job_kind<Tick>()}, declared.declared(),
                                  SchedulerOptions{.poll = 1h, .settling = 50ms});
  ground.keep(scheduler);
  scheduler->start();
  auto reconciled = [&]() -> awaitable<bool> {
    co_return !(co_await aegis::schedule::list(db)).empty();
  };
  co_await eventually(reconciled);
  co_await aegis::schedule::create(store,
                                   {.name = "soon", .kind = "Tick", .timing = "* * * * * *"});
  auto fired = [&]() -> awaitable<bool> {
    co_return (co_await store.history("soon", 10)).size() >= 2;
  };
  co_await eventually(fired);
  // Not a moment too early.
  for (const auto& run : co_await store.history("soon", 10)) {
    BOOST_TEST((run.fired_at >= run.slot));
    BOOST_TEST(run.how == "on time");
  }
  co_await aegis::schedule::pause(store, "soon");
  co_await finish_all(db, "completed");
  auto settled = [&]() -> awaitable<bool> {
    auto body = [](Session& s) -> awaitable<std::int64_t> {
      return s.select<RunRow>().where(RunRow::col.outcome == "completed").count();
    };
    co_return co_await db.session({.read_only = true}, body) >= 2;
  };
  co_await eventually(settled);
  co_await scheduler->drain();
}
