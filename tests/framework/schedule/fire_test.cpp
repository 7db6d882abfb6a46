// What is fired when, with a clock that the tests move.
#include "ground.h"
#include "jobs/admin.h"
#include "schedule/scheduler.h"

DATABASE_TEST(a_slot_is_fired_when_it_is_due_and_once) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "0 3 * * *"});
  co_await t.fire_at("2026-01-01T02:59:59.999Z");
  BOOST_TEST(co_await t.runs() == "");
  BOOST_TEST(*(co_await t.store.outlook()).next_ms <= 2);
  co_await t.fire_at("2026-01-01T03:00:00Z");
  co_await t.fire();
  BOOST_TEST(co_await t.runs() == "2026-01-01T03:00:00 on time");
  BOOST_TEST(co_await t.jobs() == 1);
  const auto left = *(co_await t.store.outlook()).next_ms;
  BOOST_TEST(left >= 24 * 3600 * 1000);
  BOOST_TEST(left <= 24 * 3600 * 1000 + 2);
}

DATABASE_TEST(the_job_has_the_schedules_arguments_and_tag) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create(
      {.name = "a \"quoted\" näme", .arguments = R"({"number": 7})", .timing = "* * * * *"});
  co_await t.create({.name = "other", .timing = "* * * * *"});
  co_await t.fire_at("2026-01-01T00:01:00Z");
  auto body = [](Session& s) -> awaitable<void> {
    const auto run = co_await s.select<RunRow>().where(RunRow::col.schedule != "other").one();
    const auto job = co_await s.get<WaitingJob>(*run.job_id);
    Tick tick;
    aegis::from_json(job.arguments, tick).raise();
    BOOST_TEST(tick.number == 7);
    std::vector<std::string> tags;
    aegis::from_json(job.tags, tags).raise();
    BOOST_TEST(tags.at(0) == "schedule:a \"quoted\" näme");
  };
  co_await db.session(body);
  const auto run = co_await t.store.run_of(1);
  BOOST_REQUIRE(run.has_value());
  BOOST_TEST((run->slot == moment("2026-01-01T00:01:00Z")));
  BOOST_TEST(!run->catch_up);
  BOOST_TEST(!run->previous_outcome.has_value());
}

DATABASE_TEST(after_an_outage_of_two_weeks_the_policy_decides) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "skip", .timing = "0 3 * * *", .catch_up = "skip"});
  co_await t.create({.name = "once", .timing = "10 3 * * *", .catch_up = "once"});
  co_await t.create({.name = "all", .timing = "20 3 * * *", .catch_up = "all", .catch_up_most = 3});
  // So many that they cannot be looked at one by one.
  co_await t.create({.name = "seconds", .timing = "* * * * * *", .catch_up = "skip"});
  co_await t.create({.name = "many", .timing = "every 7s", .catch_up = "all", .catch_up_most = 2});
  auto pause = [&](const char* name) { return aegis::schedule::pause(t.store, name); };
  co_await pause("seconds");
  co_await t.fire_at("2026-01-15T12:00:00Z");
  auto of = [&](std::string name) -> awaitable<std::string> {
    std::string text;
    for (const auto& run : co_await t.store.history(name, 100)) {
      text = aegis::to_string(run.slot).substr(0, 19) + " " + run.how + (text.empty() ? "" : ", ") +
             text;
    }
    co_return text;
  };
  BOOST_TEST(co_await of("skip") == "");
  BOOST_TEST(co_await of("once") == "2026-01-15T03:10:00 catch-up");
  BOOST_TEST(co_await of("all") ==
             "2026-01-13T03:20:00 catch-up, 2026-01-14T03:20:00 catch-up, 2026-01-15T03:20:00 "
             "catch-up");
  BOOST_TEST(co_await of("seconds") == "");
  const auto many = co_await t.store.history("many", 100);
  BOOST_TEST(many.size() == 2 + 9);  // two caught up, those of the last minute on time
  co_await t.fire_at("2026-01-16T04:00:00Z");
  BOOST_TEST((co_await t.store.history("skip", 100)).size() == 0);
  co_await t.fire_at("2026-01-17T03:00:30Z");
  BOOST_TEST(co_await of("skip") == "2026-01-17T03:00:00 on time");
}

DATABASE_TEST(one_that_is_not_finished_is_waited_for_or_not) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "allow", .timing = "* * * * *", .overlap = "allow"});
  co_await t.create({.name = "skip", .timing = "* * * * *", .overlap = "skip"});
  co_await t.create({.name = "queue", .timing = "* * * * *", .overlap = "queue"});
  co_await t.fire_at("2026-01-01T00:01:00Z");
  co_await t.fire_at("2026-01-01T00:02:00Z");
  BOOST_TEST((co_await t.store.history("skip", 1)).at(0).outcome.value_or("") == "skipped");
  BOOST_TEST((co_await t.store.history("queue", 1)).at(0).outcome.value_or("") == "blocked");
  BOOST_TEST((co_await t.store.history("allow", 1)).at(0).outcome.value_or("") == "available");
  co_await finish_all(db, "dead", "no luck", "5");
  co_await t.fire_at("2026-01-01T00:03:00Z");
  BOOST_TEST((co_await t.store.history("skip", 1)).at(0).outcome.value_or("") == "available");
  BOOST_TEST((co_await t.store.history("queue", 1)).at(0).outcome.value_or("") == "available");

  const auto last = (co_await t.store.history("skip", 1)).at(0);
  const auto run = co_await t.store.run_of(*last.job_id);
  BOOST_TEST(run->previous_outcome.value_or("") == "dead");  // not the one that was left out
  BOOST_TEST(run->previous_output.value_or("") == "5");

  co_await t.store.settle();
  const auto settled = (co_await t.store.history("allow", 10)).at(1);
  BOOST_TEST(settled.outcome.value_or("") == "dead");
  BOOST_TEST(settled.error.value_or("") == "no luck");
}

DATABASE_TEST(one_that_was_retried_by_hand_is_waited_for_again) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "skip", .timing = "* * * * *", .overlap = "skip"});
  co_await t.create({.name = "queue", .timing = "* * * * *", .overlap = "queue"});
  co_await t.fire_at("2026-01-01T00:01:00Z");
  co_await finish_all(db, "dead", "no luck");
  co_await t.store.settle();
  BOOST_TEST(co_await t.last("skip") == "00:01 dead");
  aegis::jobs::JobFilter dead;
  dead.state = "dead";
  co_await aegis::jobs::change(db, aegis::jobs::JobAction::retry, dead);
  BOOST_TEST(co_await t.last("skip") == "00:01 available");
  co_await t.fire_at("2026-01-01T00:02:00Z");
  BOOST_TEST(co_await t.last("skip", 2) == "00:02 skipped, 00:01 available");
  BOOST_TEST(co_await t.last("queue", 2) == "00:02 blocked, 00:01 available");
  co_await finish_all(db, "completed");
  co_await t.store.settle();
  const auto first = (co_await t.store.history("skip", 2)).at(1);
  BOOST_TEST(first.outcome.value_or("") == "completed");
  BOOST_TEST(first.error.value_or("") == "");
}

DATABASE_TEST(a_queued_one_waits_for_all_that_are_not_finished) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "queue", .timing = "* * * * *", .overlap = "queue"});
  co_await t.fire_at("2026-01-01T00:01:00Z");
  co_await finish_all(db, "dead");
  co_await t.fire_at("2026-01-01T00:02:00Z");
  const auto runs = co_await t.store.history("queue", 2);
  const std::int64_t first = *runs.at(1).job_id, second = *runs.at(0).job_id;
  aegis::jobs::JobFilter which;
  which.id = first;
  co_await aegis::jobs::change(db, aegis::jobs::JobAction::retry, which);
  co_await t.fire_at("2026-01-01T00:03:00Z");
  co_await finish_all(db, "completed", {}, {}, second);
  aegis::jobs::Store jobs(db);
  co_await jobs.follow_up({second});
  BOOST_TEST(co_await t.last("queue", 3) == "00:03 blocked, 00:02 completed, 00:01 available");
  co_await finish_all(db, "completed", {}, {}, first);
  co_await jobs.follow_up({first});
  BOOST_TEST(co_await t.last("queue") == "00:03 available");
}

DATABASE_TEST(many_that_are_queued_run_one_after_the_other) {
  Ticking t(db);
  co_await t.prepare();
  for (const char* name : {"a", "b"}) {
    co_await t.create({.name = name, .timing = "* * * * *", .catch_up = "all", .overlap = "queue"});
  }
  co_await t.fire_at("2026-01-01T00:05:00Z");
  aegis::jobs::Store jobs(db);
  for (int left = 5; left > 0; --left) {
    auto available = [](Session& s) -> awaitable<std::vector<std::int64_t>> {
      return s.query<std::int64_t>("SELECT id FROM aegis_job WHERE state = 'available'");
    };
    const auto ids = co_await db.session({.read_only = true}, available);
    BOOST_REQUIRE(ids.size() == 2);  // one of each
    BOOST_TEST(co_await t.jobs() == 2 * left);
    for (const std::int64_t id : ids) {
      co_await finish_all(db, "dead", {}, {}, id);
    }
    co_await jobs.follow_up(ids);
  }
  BOOST_TEST(co_await t.jobs() == 0);
}

DATABASE_TEST(slots_of_unique_jobs_share_one) {
  Ticking t(db);
  co_await t.prepare();
  for (const char* name : {"a", "b", "c"}) {
    co_await t.create({.name = name,
                       .kind = "UniqueTick",
                       .arguments = *name == 'c' ? R"({"number":2})" : R"({"number":1})",
                       .timing = "* * * * *",
                       .catch_up = "all",
                       .overlap = *name == 'b' ? "queue" : "allow"});
  }
  co_await t.fire_at("2026-01-01T00:03:00Z");
  BOOST_TEST(co_await t.jobs() == 2);
  BOOST_TEST(co_await t.last("a", 3) == "00:03 available, 00:02 available, 00:01 available");
  BOOST_TEST(co_await t.last("b", 1) == "00:03 available");
  BOOST_TEST(co_await t.last("c", 1) == "00:03 available");
  co_await t.fire_at("2026-01-01T00:04:00Z");
  BOOST_TEST(co_await t.jobs() == 2);
}

DATABASE_TEST(open_runs_are_settled_however_many_there_are) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "* * * * *"});
  co_await t.fire_at("2026-01-01T00:01:00Z");
  const std::int64_t waiting = 2'500;
  // Runs whose jobs are not finished, before and after in the alphabet.
  auto add = [&](Session& s) -> awaitable<void> {
    std::vector<RunRow> runs;
    const auto job = (co_await s.select<RunRow>().one()).job_id;
    for (std::int64_t i = 0; i < waiting; ++i) {
      runs.push_back({.schedule = i % 2 == 0 ? "a" : "z",
                      .slot = t.clock.now() + std::chrono::microseconds(i),
                      .how = "by hand",
                      .fired_at = t.clock.now(),
                      .job_id = job});
    }
    co_await s.insert_all(runs);
  };
  co_await db.session(add);
  co_await t.store.settle();
  co_await finish_all(db, "completed");
  auto open = [](Session& s) -> awaitable<std::int64_t> {
    co_return (co_await s.query<std::int64_t>(
                   "SELECT count(*) FROM aegis_schedule_run WHERE outcome IS NULL"))
        .at(0);
  };
  for (int i = 0; i < 5; ++i) co_await t.store.settle();
  BOOST_TEST(co_await db.session(open) == 0);
}

DATABASE_TEST(runs_whose_jobs_are_gone_are_unknown_and_old_ones_are_deleted) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "* * * * *"});
  co_await t.fire_at("2026-01-01T00:01:00Z");
  co_await db.session(
      [](Session& s) -> awaitable<void> { co_await s.execute("DELETE FROM aegis_job"); });
  co_await t.store.settle();
  BOOST_TEST(co_await t.runs() == "2026-01-01T00:01:00 on time");
  t.clock.advance(2min);
  co_await t.store.settle();
  BOOST_TEST(co_await t.runs() == "2026-01-01T00:01:00 on time unknown");
  BOOST_TEST(co_await t.store.prune(1h, 100) == 0);
  t.clock.advance(1h);
  BOOST_TEST(co_await t.store.prune(1h, 100) == 1);
}

DATABASE_TEST(a_clock_that_jumps_fires_nothing_twice) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "* * * * *", .catch_up = "all"});
  co_await t.fire_at("2026-01-01T00:05:00Z");
  const auto before = co_await t.runs();
  co_await t.fire_at("2026-01-01T00:01:00Z");
  co_await t.fire_at("2026-01-01T00:04:30Z");
  BOOST_TEST(co_await t.runs() == before);
  // Whatever looks for the next slot while the clock is wrong: the slot has had its run.
  co_await aegis::schedule::pause(t.store, "tick");
  co_await aegis::schedule::resume(t.store, "tick");
  co_await t.fire_at("2026-01-01T00:06:00Z");
  BOOST_TEST(co_await t.runs() == before + ", 2026-01-01T00:06:00 on time");
  BOOST_TEST(co_await t.jobs() == 6);
}

DATABASE_TEST(a_clock_that_is_set_forward_for_a_moment_silences_nothing) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "* * * * *"});
  co_await t.create({.name = "never", .timing = "* * * * *", .catch_up = "skip"});
  co_await t.create({.name = "list", .timing = "at 2026-01-01 00:04", .catch_up = "skip"});
  co_await t.fire_at("2026-01-01T00:01:00Z");
  using aegis::schedule::Scheduler, aegis::schedule::SchedulerOptions;
  const auto scheduler = std::make_shared<Scheduler>(db, std::vector{&aegis::job_kind<Tick>()},
                                                     std::vector<Schedules::Declared>(),
                                                     SchedulerOptions{.poll = 5ms});
  ground.keep(scheduler);
  scheduler->start();
  auto is = [&](const char* name, std::string_view time) -> awaitable<bool> {
    const auto slot = (co_await aegis::schedule::show(db, name)).next;
    co_return slot == moment(time);
  };
  const auto jump = [&](std::string_view time) { t.clock.advance(moment(time) - t.clock.now()); };
  jump("2036-01-01T00:00:30Z");
  auto is_far = [&]() -> awaitable<bool> { return is("never", "2036-01-01T00:01:00Z"); };
  co_await eventually(is_far);
  co_await t.create({.name = "young", .timing = "* * * * *"});
  jump("2026-01-01T00:01:30Z");
  auto is_back = [&]() -> awaitable<bool> { return is("never", "2026-01-01T00:02:00Z"); };
  co_await eventually(is_back);
  BOOST_TEST(co_await is("tick", "2026-01-01T00:02:00Z"));
  BOOST_TEST(co_await is("list", "2026-01-01T00:04:00Z"));
  BOOST_TEST(co_await is("young", "2026-01-01T00:02:00Z"));
  for (const char* time :
       {"2026-01-01T00:02:00Z", "2026-01-01T00:03:00Z", "2026-01-01T00:04:00Z"}) {
    jump(time);
    auto fired = [&]() -> awaitable<bool> {
      const auto runs = co_await t.store.history("tick", 10);
      co_return std::ranges::count(runs, moment(time), &aegis::schedule::RunInfo::slot) == 1;
    };
    co_await eventually(fired);
  }
  co_await scheduler->drain();
  BOOST_TEST(co_await t.last("list") == "00:04 available");
  // Of 2036 there were two: one was caught up with, one was on time.
  BOOST_TEST((co_await t.store.history("tick", 10)).size() == 1 + 2 + 3);
}

DATABASE_TEST(a_scheduler_that_starts_after_such_a_moment_knows) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "* * * * *"});
  co_await t.create({.name = "paused", .timing = "* * * * *"});
  co_await aegis::schedule::pause(t.store, "paused");
  co_await t.fire_at("2036-01-01T00:00:30Z");
  t.clock.advance(moment("2026-01-01T00:00:30Z") - t.clock.now());
  using aegis::schedule::Scheduler, aegis::schedule::SchedulerOptions;
  const auto scheduler = std::make_shared<Scheduler>(db, std::vector{&aegis::job_kind<Tick>()},
                                                     std::vector<Schedules::Declared>(),
                                                     SchedulerOptions{.poll = 5ms});
  ground.keep(scheduler);
  scheduler->start();
  auto is_back = [&]() -> awaitable<bool> {
    co_return (co_await aegis::schedule::show(db, "tick")).next == moment("2026-01-01T00:01:00Z");
  };
  co_await eventually(is_back);
  co_await scheduler->drain();
}

DATABASE_TEST(slots_whose_runs_were_deleted_are_not_fired_again) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create(
      {.name = "tick", .timing = "0 0 * * *", .catch_up = "all", .catch_up_most = 10'000});
  co_await t.fire_at("2026-03-01T00:00:00Z");
  co_await finish_all(db, "completed");
  co_await t.store.settle();
  t.clock.advance(48h);
  BOOST_TEST(co_await t.store.prune(24h, 1'000) == 59);
  // A machine whose clock has lost the time.
  t.clock.advance(moment("2026-01-10T00:00:00Z") - t.clock.now());
  co_await aegis::schedule::pause(t.store, "tick");
  co_await aegis::schedule::resume(t.store, "tick");
  co_await t.fire();
  co_await t.fire_at("2026-03-02T00:00:00Z");
  BOOST_TEST(co_await t.runs() == "2026-03-02T00:00:00 on time");
}

DATABASE_TEST(a_schedule_that_cannot_be_read_does_not_hold_up_others) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "a", .timing = "* * * * *"});
  co_await t.create({.name = "b", .timing = "* * * * *"});
  co_await db.session([](Session& s) -> awaitable<void> {
    co_await s.execute("UPDATE aegis_schedule SET timing = 'nonsense' WHERE name = 'a'");
  });
  co_await t.fire_at("2026-01-01T00:01:00Z");
  BOOST_TEST((co_await t.store.history("b", 10)).size() == 1);
  BOOST_TEST((co_await t.store.history("a", 10)).size() == 0);
}

DATABASE_TEST(jitter_moves_the_start_and_not_the_slot) {
  Ticking t(db);
  co_await t.prepare();
  for (int i = 0; i < 20; ++i) {
    co_await t.create({.name = std::to_string(i), .timing = "0 * * * *", .jitter = 10min});
  }
  co_await t.fire_at("2026-01-01T00:59:59Z");
  for (int minute = 1; minute <= 10; ++minute) {
    t.clock.advance(1min);
    co_await t.fire();
    if (minute != 5) continue;
    const auto some = co_await t.jobs();
    BOOST_TEST(some > 0);
    BOOST_TEST(some < 20);
  }
  t.clock.advance(1s);
  co_await t.fire();
  BOOST_TEST(co_await t.jobs() == 20);
  for (const auto& run : co_await t.store.history(std::nullopt, 100)) {
    BOOST_TEST((run.slot == moment("2026-01-01T01:00:00Z")));
    BOOST_TEST(run.how == "on time");
  }
}

DATABASE_TEST(jitter_makes_no_missed_slot_a_timely_one) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "* * * * *", .catch_up = "skip", .jitter = 1h});
  co_await t.fire_at("2026-01-01T03:00:00Z");
  const auto runs = co_await t.store.history("tick", 200);
  BOOST_TEST(runs.size() <= 3);  // those that were due in the last minute
}

DATABASE_TEST(it_begins_and_ends) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick",
                     .timing = "every 90s from start",
                     .catch_up = "all",
                     .starts_at = moment("2026-01-01T01:00:10Z"),
                     .ends_at = moment("2026-01-01T01:03:10Z")});
  for (int i = 0; i < 6; ++i) {
    co_await t.fire();
    t.clock.advance(59min + 40s);
  }
  BOOST_TEST(co_await t.runs() ==
             "2026-01-01T01:00:10 catch-up, 2026-01-01T01:01:40 catch-up, 2026-01-01T01:03:10 "
             "catch-up");
  BOOST_TEST((co_await aegis::schedule::show(db, "tick")).state == "ended");
  BOOST_TEST(!(co_await t.store.outlook()).next_ms.has_value());
}

/// 10,000 schedules like `spec` fall due together.
awaitable<void> fire_ten_thousand(Database& db, ScheduleSpec spec, std::int64_t jobs = 10'000) {
  Ticking t(db);
  co_await t.prepare();
  auto insert = [&](Session& s) -> awaitable<void> {
    std::vector<ScheduleRow> rows;
    for (int i = 0; i < 10'000; ++i) {
      auto& row = rows.emplace_back();
      spec.name = "s" + std::to_string(i);
      if (spec.kind == "UniqueTick") spec.arguments = "{\"number\":" + std::to_string(i) + "}";
      aegis::schedule::set_spec(row, spec);
      row.created_at = t.clock.now();
      aegis::schedule::set_next(row, row.created_at);
    }
    co_await s.insert_all(rows);
  };
  co_await db.session(insert);
  const auto begin = std::chrono::steady_clock::now();
  co_await t.fire_at("2026-01-01T01:00:00Z");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  BOOST_TEST_MESSAGE("10,000 schedules fired in " << took.count() << " s");
  BOOST_TEST(co_await t.jobs() == jobs);
  BOOST_TEST((co_await t.store.history(std::nullopt, 30'000)).size() ==
             static_cast<std::size_t>(jobs));
  BOOST_TEST(co_await t.store.fire(1'000, 1min) == 0);
}

DATABASE_TEST(ten_thousand_are_fired_together) {
  if (ground.one_process()) co_return;
  co_await fire_ten_thousand(db, {.kind = "Tick", .timing = "0 * * * *"});
}

DATABASE_TEST(ten_thousand_that_are_queued_are_fired_together) {
  if (ground.one_process()) co_return;
  co_await fire_ten_thousand(
      db, {.kind = "Tick", .timing = "*/30 * * * *", .catch_up = "all", .overlap = "queue"},
      20'000);
}

DATABASE_TEST(ten_thousand_of_unique_jobs_are_fired_together) {
  if (ground.one_process()) co_return;
  co_await fire_ten_thousand(db, {.kind = "UniqueTick", .timing = "0 * * * *"});
}

DATABASE_TEST(minutes_one_by_one_and_a_month_of_them_day_by_day) {
  Ticking t(db);
  if (ground.url() != "sqlite://:memory:") co_return;
  co_await t.prepare();
  co_await t.create(
      {.name = "tick", .timing = "* * * * *", .catch_up = "all", .catch_up_most = 10'000});
  const auto fired = [&](Session& s) -> awaitable<std::int64_t> {
    co_return (co_await s.query<std::int64_t>("SELECT count(*) FROM aegis_schedule_run")).at(0);
  };
  const int minutes = 2'000, days = 30;
  for (int i = 0; i < minutes; ++i) {
    t.clock.advance(1min);
    co_await t.store.fire(1'000, 1min);
  }
  BOOST_TEST(co_await db.session(fired) == minutes);
  for (int i = 0; i < days; ++i) {
    t.clock.advance(24h);
    co_await t.fire();
  }
  BOOST_TEST(co_await db.session(fired) == minutes + days * 1'440);
}

BOOST_AUTO_TEST_CASE(a_year_of_minutes_has_each_of_them_once) {
  const aegis::schedule::Slots slots(
      {.name = "tick", .timing = "* * * * *", .zone = "Europe/Berlin"},
      moment("2026-01-01T00:00:00Z"));
  auto slot = slots.next(moment("2025-12-31T23:59:59Z"));
  int count = 0;
  for (Timestamp expected = moment("2026-01-01T00:00:00Z"); *slot < moment("2027-01-01T00:00:00Z");
       expected += 1min, slot = slots.next(*slot)) {
    if (*slot == expected) ++count;
  }
  BOOST_TEST(count == 365 * 1'440);
}
