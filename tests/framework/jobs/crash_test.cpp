// Workers that are killed, frozen or stopped in the middle of their work.
#include <cstdlib>
#include <random>

#include "aegis/core/clock.h"
#include "ground.h"
#include "ledger.h"
#include "process.h"

DATABASE_TEST(workers_that_are_killed_lose_nothing_and_do_nothing_twice) {
  if (ground.one_process()) co_return;
  const int rounds = at_length() ? 200 : 10;
  Ledger ledger;
  std::minstd_rand random(4);
  std::vector<std::unique_ptr<Process>> workers;
  for (int i = 0; i < 2; ++i) workers.push_back(std::make_unique<Process>(ground.url()));
  for (int i = 0; i < rounds; ++i) {
    co_await ledger.enqueue(db, 100);
    co_await aegis::Clock::system().sleep_for(std::chrono::milliseconds(100 + random() % 200));
    auto& victim = *workers[random() % workers.size()];
    victim.kill();
    victim.start();
  }
  co_await ledger.check(db);
}

DATABASE_TEST(a_worker_that_was_frozen_changes_nothing_when_it_comes_back) {
  // On SQLite a frozen process may hold the lock of the file, and everybody waits for it.
  if (!ground.url().starts_with("postgresql")) co_return;
  Ledger ledger;
  Process frozen(ground.url());
  co_await ledger.enqueue(db, 300);
  auto begun = [&]() -> awaitable<bool> { co_return co_await effects(db) > 0; };
  co_await eventually(begun);
  frozen.freeze();
  Process other(ground.url());
  co_await ledger.enqueue(db, 300);
  // All but those whose rows an open transaction of the frozen one has locked.
  auto most_done = [&]() -> awaitable<bool> { co_return co_await effects(db) >= 600 - 40; };
  co_await eventually(most_done);
  frozen.thaw();
  co_await ledger.check(db);
}

DATABASE_TEST(a_worker_that_is_told_to_stop_gives_back_what_it_does_not_finish) {
  if (ground.one_process()) co_return;
  Ledger ledger;
  co_await ledger.enqueue(db, 500);
  {
    Process worker(ground.url());
    auto begun = [&]() -> awaitable<bool> { co_return co_await effects(db) > 0; };
    co_await eventually(begun);
    BOOST_TEST(worker.terminate() == 0);
  }
  auto check = [&](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<WaitingJob>().where(WaitingJob::col.state == "running").count() ==
               0);
    BOOST_TEST(co_await s.select<aegis::jobs::WorkerRow>().count() == 0);
    BOOST_TEST(co_await s.select<Effect>().count() + co_await s.select<WaitingJob>().count() ==
               500);
  };
  co_await db.read(check);
}

DATABASE_TEST(workers_whose_clocks_are_five_minutes_apart_agree_on_when_a_job_is_due) {
  // The clock that counts is the database's; on SQLite that is the one of the machine.
  if (!ground.url().starts_with("postgresql")) co_return;
  Ledger ledger;
  Process late(ground.url(), {"AEGIS_TEST_CLOCK_SKEW=-300"});
  Process early(ground.url(), {"AEGIS_TEST_CLOCK_SKEW=300"});
  co_await ledger.enqueue(db, 200);
  co_await ledger.enqueue(db, 200, {.delay = 500ms});
  co_await ledger.enqueue(db, 5, {.delay = 1h});
  auto rest = [&]() -> awaitable<bool> {
    co_return co_await db.read([](Session& s) -> awaitable<bool> {
      co_return co_await s.select<WaitingJob>().count() == 5;
    });
  };
  co_await eventually(rest);
  auto check = [](Session& s) -> awaitable<void> {
    const auto too_early = co_await s.query<std::int64_t>(
        "SELECT id FROM aegis_job_finished WHERE started_at < run_at");
    BOOST_TEST(too_early.size() == 0);
    const auto lost = co_await s.query<std::int64_t>(
        "SELECT id FROM aegis_job_finished WHERE attempt > 1 OR state <> 'completed'");
    BOOST_TEST(lost.size() == 0);  // nobody was taken for dead
    BOOST_TEST(co_await s.select<aegis::jobs::WorkerRow>().count() == 2);
  };
  co_await db.read(check);
  BOOST_TEST(co_await effects(db) == 400);
}
