// What people ask of schedules, and what they are refused.
#include "ground.h"

using aegis::Trigger;
using aegis::schedule::Upcoming;

namespace {

/// What is refused, and why.
awaitable<std::string> refusal(awaitable<void> request, Errc code = Errc::invalid) {
  std::string why = "nothing was refused";
  try {
    co_await std::move(request);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == code));
    why = error.what();
  }
  co_return why;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string text_of(const Upcoming& upcoming) {
  std::string text;
  for (const auto& next : upcoming.slots) {
    text += aegis::to_string(next.slot).substr(0, 16) + " " + next.schedule + "\n";
  }
  for (const auto& none : upcoming.without) text += none.schedule + " " + none.why + "\n";
  return text;
}

/// As somebody else might write it.
awaitable<void> insert_broken(Database& db, std::string name,
                              std::string slot = "2025-01-02T00:00:00Z") {
  auto body = [&](Session& s) -> awaitable<void> {
    ScheduleRow row{.name = name,
                    .kind = "Tick",
                    .arguments = "{}",
                    .timing = "0 25 * * *",
                    .zone = "UTC",
                    .catch_up = "once",
                    .catch_up_most = 1,
                    .overlap = "allow",
                    .created_at = moment("2025-01-01T00:00:00Z"),
                    .slot = moment(slot),
                    .due_at = moment(slot)};
    co_await s.insert(row);
  };
  co_await db.session(body);
}

struct PlanLine {
  std::string detail{};
  AEGIS_FIELDS(PlanLine, (detail))
};

}  // namespace

DATABASE_TEST(a_schedule_that_is_paused_has_no_next_slot) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "0 3 * * *"});
  co_await t.create({.name = "tock", .timing = "0 4 * * *"});
  co_await aegis::schedule::pause(t.store, "tick");
  const auto next = [&](std::optional<std::string> name) {
    return aegis::schedule::next_slots(db, std::move(name), 2);
  };
  BOOST_TEST(text_of(co_await next("tick")) == "tick is paused\n");
  BOOST_TEST(text_of(co_await next(std::nullopt)) ==
             "2026-01-01T04:00 tock\n2026-01-02T04:00 tock\n");
  co_await aegis::schedule::resume(t.store, "tick");
  BOOST_TEST(text_of(co_await next(std::nullopt)) ==
             "2026-01-01T03:00 tick\n2026-01-01T04:00 tock\n");
}

DATABASE_TEST(a_schedule_that_cannot_be_read_is_named_and_hides_no_other) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "0 3 * * *"});
  for (const char* name : {"broken", "torn"}) co_await insert_broken(db, name);
  co_await insert_broken(db, "worn", "2030-01-01T00:00:00Z");
  const auto next = co_await aegis::schedule::next_slots(db, std::nullopt, 1);
  BOOST_TEST(next.without.size() == 3U);
  const std::string text = text_of(next);
  BOOST_TEST(contains(text, "2026-01-01T03:00 tick\nbroken cannot be read: \"0 25 * * *\" is no"),
             text);
  BOOST_TEST(contains(text_of(co_await aegis::schedule::next_slots(db, "torn", 1)),
                      "torn cannot be read: "));
  const auto shown = co_await aegis::schedule::show(db, "worn");
  BOOST_TEST(shown.state == "broken");
  BOOST_TEST(!shown.next.has_value());
  const auto broken = co_await aegis::schedule::broken(db);
  BOOST_REQUIRE(broken.size() == 3U);
  BOOST_TEST(broken[0].schedule == "broken");
  BOOST_TEST(contains(broken[0].why, "is out of range; allowed: 0-23"), broken[0].why);
}

DATABASE_TEST(a_name_that_is_not_known_is_said_so) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "polish-shields", .timing = "* * * * *"});
  co_await t.fire_at("2026-01-01T00:01:00Z");
  auto history = [&]() -> awaitable<void> {
    co_await aegis::schedule::history(t.store, "polish-sheilds", 10);
  };
  const std::string unknown =
      "There is no schedule polish-sheilds; did you mean \"polish-shields\"?";
  BOOST_TEST(co_await refusal(history(), Errc::not_found) == unknown);
  auto next = [&]() -> awaitable<void> {
    co_await aegis::schedule::next_slots(db, "polish-sheilds", 10);
  };
  BOOST_TEST(co_await refusal(next(), Errc::not_found) == unknown);
  auto run = [&]() -> awaitable<void> {
    co_await aegis::schedule::run_now(t.store, "polish-sheilds");
  };
  BOOST_TEST(co_await refusal(run(), Errc::not_found) == unknown);
  // The history of one that was deleted is still there.
  co_await aegis::schedule::erase(db, "polish-shields");
  BOOST_TEST((co_await aegis::schedule::history(t.store, "polish-shields", 10)).size() == 1U);
}

DATABASE_TEST(the_history_of_one_schedule_is_read_from_its_newest_slot_on) {
  Ticking t(db);
  co_await t.prepare();
  co_await t.create({.name = "tick", .timing = "* * * * *"});
  co_await t.create({.name = "tock", .timing = "* * * * *"});
  for (const char* time : {"2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z", "2026-01-01T00:03:00Z"})
    co_await t.fire_at(time);
  const auto runs = co_await aegis::schedule::history(t.store, "tick", 2);
  BOOST_REQUIRE(runs.size() == 2U);
  BOOST_TEST((runs[0].slot == moment("2026-01-01T00:03:00Z")));
  BOOST_TEST((runs[1].slot == moment("2026-01-01T00:02:00Z")));
  BOOST_TEST((co_await aegis::schedule::history(t.store, std::nullopt, 10)).size() == 6U);

  // Without a look at the runs of others, and without sorting.
  const bool sqlite = ground.url().starts_with("sqlite");
  auto explain = [&](Session& s) -> awaitable<std::string> {
    std::string plan;
    if (sqlite) {
      const auto sql = "EXPLAIN QUERY PLAN " +
                       aegis::schedule::statements(aegis::db::Dialect::Id::sqlite).history_of_one;
      for (const auto& line : co_await s.query<PlanLine>(sql, "tick", std::int64_t{2})) {
        plan += line.detail + "\n";
      }
      co_return plan;
    }
    for (const char* way : {"seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"}) {
      co_await s.execute(std::string("SET LOCAL enable_") + way + " = off");
    }
    const auto sql =
        "EXPLAIN " + aegis::schedule::statements(aegis::db::Dialect::Id::postgresql).history_of_one;
    for (const auto& line : co_await s.query<std::string>(sql, "tick", std::int64_t{2})) {
      plan += line + "\n";
    }
    co_return plan;
  };
  const std::string plan = co_await db.session(explain);
  BOOST_TEST(contains(plan, sqlite ? "sqlite_autoindex_aegis_schedule_run_1 (schedule=?)"
                                   : "Index Scan Backward using aegis_schedule_run_slot_key"),
             plan);
  BOOST_TEST(!contains(plan, "B-TREE"), plan);
  BOOST_TEST(!contains(plan, "Sort"), plan);
}

DATABASE_TEST(a_schedule_that_could_never_be_is_not_created) {
  Ticking t(db);
  co_await t.prepare();
  const auto why = [&](ScheduleSpec spec) { return refusal(t.create(std::move(spec))); };
  std::string text = co_await why({.name = std::string(300, 'x'), .timing = "@daily"});
  BOOST_TEST(contains(text, "name"), text);
  BOOST_TEST(contains(text, "at most 200"), text);
  text = co_await why({.name = "next", .timing = "@daily"});
  BOOST_TEST(contains(text, "next"), text);
  text = co_await why({.name = "x", .timing = "@daily", .jitter = 25h});
  BOOST_TEST(contains(text, "later by up to a day"), text);
  text = co_await why({.name = "x", .timing = "@daily", .overlap = "maybe"});
  BOOST_TEST(contains(text, "overlap"), text);
  text = co_await why({.name = "x", .timing = "0 0 30 2 *"});
  BOOST_TEST(contains(text, "does not exist in these months"), text);
  text = co_await why({.name = "x", .timing = "0 0 L-30 2 *"});
  BOOST_TEST(contains(text, "does not exist in these months"), text);
  text = co_await why({.name = "x", .timing = "0 0 */20 * FRI#2"});
  BOOST_TEST(contains(text, "is never due"), text);
  text = co_await why({.name = "x", .timing = "at 2025-12-24 18:00"});
  BOOST_TEST(contains(text, "no slot is left"), text);
  text = co_await why({.name = "x", .timing = "@daily", .ends_at = moment("2025-12-31T00:00:00Z")});
  BOOST_TEST(contains(text, "no slot is left"), text);
  BOOST_TEST((co_await aegis::schedule::list(db)).empty());
}

BOOST_AUTO_TEST_CASE(what_could_never_be_is_not_declared) {
  Schedules s;
  BOOST_CHECK_THROW(s.add<Tick>("x", Trigger::parse("0 0 */20 * FRI#2")), Error);
  s.cron<Tick>(std::string(300, 'x'), "@daily");
  BOOST_CHECK_THROW(s.declared(), Error);
  Schedules late;
  late.cron<Tick>("x", "@daily").jitter(25h);
  BOOST_CHECK_THROW(late.declared(), Error);
}
