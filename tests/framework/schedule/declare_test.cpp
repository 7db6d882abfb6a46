// What the code declares and what people do, side by side.
#include "ground.h"

namespace {

awaitable<std::string> state(Database& db, std::string name) {
  const auto info = co_await aegis::schedule::show(db, std::move(name));
  co_return info.state + " " + info.timing;
}

}  // namespace

DATABASE_TEST(what_the_code_declares_is_added_changed_and_retired) {
  Ticking t(db);
  Schedules first;
  first.cron<Tick>("daily", "0 3 * * *").in("Europe/Berlin");
  first.every<Tick>("often", 90s, {.number = 5}).overlap(Overlap::skip);
  co_await t.prepare(first);
  BOOST_TEST(co_await state(db, "daily") == "active 0 3 * * *");
  BOOST_TEST(co_await state(db, "often") == "active every 90s");
  BOOST_TEST((co_await aegis::schedule::show(db, "often")).arguments == R"({"number":5})");
  BOOST_TEST(
      (*(co_await aegis::schedule::show(db, "daily")).next == moment("2026-01-01T02:00:00Z")));

  Schedules second;
  second.cron<Tick>("daily", "0 4 * * *").in("Europe/Berlin");
  co_await aegis::schedule::pause(t.store, "daily");
  co_await t.create({.name = "made", .timing = "@daily"});
  co_await t.store.reconcile(second.declared());
  BOOST_TEST(co_await state(db, "daily") == "paused 0 4 * * *");  // the operator's pause survives
  BOOST_TEST(co_await state(db, "often") == "retired every 90s");
  BOOST_TEST(co_await state(db, "made") == "active @daily");
  co_await t.fire_at("2026-01-02T12:00:00Z");
  BOOST_TEST(co_await t.runs() == "2026-01-02T00:00:00 catch-up");

  co_await t.store.reconcile(first.declared());
  BOOST_TEST(co_await state(db, "often") == "active every 90s");
  co_await aegis::schedule::resume(t.store, "daily");
  BOOST_TEST(
      (*(co_await aegis::schedule::show(db, "daily")).next == moment("2026-01-03T02:00:00Z")));
}

DATABASE_TEST(a_restart_changes_nothing) {
  Ticking t(db);
  Schedules same;
  same.every<Tick>("often", 1h);
  co_await t.prepare(same);
  co_await t.fire_at("2026-01-01T00:59:59Z");
  t.clock.advance(2s);  // it is due, and the scheduler starts again before it fires it
  co_await t.store.reconcile(same.declared());
  co_await t.fire();
  BOOST_TEST(co_await t.runs() == "2026-01-01T01:00:00 on time");
}

DATABASE_TEST(a_slot_that_is_due_is_fired_though_the_code_has_changed) {
  Ticking t(db);
  Schedules before, after;
  before.every<Tick>("often", 1h);
  after.every<Tick>("often", 2h).jitter(1s);
  co_await t.prepare(before);
  co_await t.fire_at("2026-01-01T00:59:59Z");
  t.clock.advance(2s);  // the scheduler is replaced just now
  co_await t.store.reconcile(after.declared());
  co_await t.fire();
  BOOST_TEST(co_await t.runs() == "2026-01-01T01:00:00 on time");
  BOOST_TEST(
      (*(co_await aegis::schedule::show(db, "often")).next == moment("2026-01-01T02:00:00Z")));
}

DATABASE_TEST(what_cannot_be_is_refused) {
  Ticking t(db);
  co_await t.prepare();
  co_await error_of(t.create({.name = "huge", .timing = "every 9300000000000s"}), Errc::invalid);
  co_await error_of(
      t.create({.name = "late", .timing = "@daily", .jitter = std::chrono::hours(25)}),
      Errc::invalid);
}

DATABASE_TEST(ten_thousand_are_declared) {
  Schedules code;
  for (int i = 0; i < 10'000; ++i) code.cron<Tick>("s" + std::to_string(i), "0 3 * * *");
  Ticking t(db);
  co_await t.prepare();
  for (const char* time : {"first", "second"}) {
    const auto begin = std::chrono::steady_clock::now();
    co_await t.store.reconcile(code.declared());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST_MESSAGE("10,000 declared, the " << time << " time: " << took.count() << " s");
  }
  BOOST_TEST((co_await aegis::schedule::list(db)).size() == 10'000);
}

DATABASE_TEST(one_made_at_run_time_is_not_taken_over) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "@daily"});
  Schedules code;
  code.cron<Tick>("tick", "0 3 * * *");
  co_await t.store.reconcile(code.declared());
  BOOST_TEST(co_await state(db, "tick") == "active @daily");
}

DATABASE_TEST(schedules_are_created_run_paused_and_deleted) {
  using namespace aegis::schedule;
  Ticking t(db);
  Schedules code;
  code.every<Tick>("code", 1h);
  co_await t.prepare(code);
  const auto refused = [&](ScheduleSpec spec, Errc why) { return error_of(t.create(spec), why); };
  BOOST_TEST((co_await refused({.name = "x", .timing = "61 * * * *"}, Errc::invalid))
                 .find("out of range") != std::string::npos);
  BOOST_TEST(
      (co_await refused({.name = "x", .timing = "@daily", .zone = "Mars/Base"}, Errc::invalid))
          .find("Mars/Base") != std::string::npos);
  BOOST_TEST((co_await refused({.name = "x", .kind = "Nothing", .timing = "@daily"}, Errc::invalid))
                 .find("are Tick") != std::string::npos);
  co_await refused({.name = "x", .arguments = "[1", .timing = "@daily"}, Errc::malformed);
  co_await refused({.name = "code", .timing = "@daily"}, Errc::conflict);
  co_await refused({.name = "x", .timing = "every 100ms"}, Errc::invalid);
  co_await refused({.name = "x", .timing = "at noon"}, Errc::invalid);

  co_await t.create({.name = "list",
                     .timing = "at 2026-12-24 18:00, 2026-06-01T10:00:00Z, 2026-03-29 02:30",
                     .zone = "Europe/Berlin"});
  std::string slots;
  const auto listed = co_await next_slots(db, "list", 10);
  for (const auto& next : listed.slots) {
    slots += aegis::to_string(next.slot).substr(0, 16) + " ";
  }
  BOOST_TEST(slots == "2026-03-29T01:00 2026-06-01T10:00 2026-12-24T17:00 ");

  const auto all = (co_await next_slots(db, std::nullopt, 3)).slots;
  BOOST_REQUIRE(all.size() == 3);
  BOOST_TEST(all.at(2).schedule == "code");
  BOOST_TEST((all.at(2).slot == moment("2026-01-01T03:00:00Z")));

  co_await pause(t.store, "code");
  const auto job = co_await t.store.run_now("code");
  const auto run = co_await t.store.run_of(job);
  BOOST_TEST(run->by_hand);
  BOOST_TEST(run->schedule == "code");
  co_await error_of(erase(db, "code"), Errc::conflict);
  co_await erase(db, "list");
  co_await error_of(erase(db, "list"), Errc::not_found);
  co_await error_of(pause(t.store, "list"), Errc::not_found);
  BOOST_TEST((co_await list(db)).size() == 1);
}

DATABASE_TEST(late_ones_are_named) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "late", .timing = "@hourly"});
  co_await t.create({.name = "paused", .timing = "@hourly"});
  co_await aegis::schedule::pause(t.store, "paused");
  t.clock.advance(1h + 2min);
  const auto late = co_await t.store.late(1min);
  BOOST_REQUIRE(late.size() == 1);
  BOOST_TEST(late.at(0).name == "late");
  BOOST_TEST(late.at(0).late_ms >= 119'990);
  BOOST_TEST(late.at(0).late_ms <= 120'010);
}

BOOST_AUTO_TEST_CASE(mistakes_in_the_code_are_told) {
  Schedules s;
  s.every<Tick>("a", 1min);
  BOOST_CHECK_THROW(s.every<Tick>("a", 1min), Error);
  BOOST_CHECK_THROW(s.every<Tick>("b", 1500ms), Error);
  BOOST_CHECK_THROW(s.cron<Tick>("c", "@daily").in("Europe/Atlantis"), Error);
}
