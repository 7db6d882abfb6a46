// Jobs after other jobs, and the steps of one.
#include "../../support/postgres_server.h"
#include "ground.h"
#include "jobs/admin.h"
#include "jobs/inline.h"

namespace {

std::atomic<int> steps_done = 0;

struct Note {
  static constexpr JobOptions options{.max_attempts = 1};
  std::string what{};

  AEGIS_FIELDS(Note, (what))
  awaitable<void> run(JobContext& job) {
    if (what == "fail") throw std::runtime_error("as it was told");
    Effect effect{.of = job.id(), .what = what};
    co_await job.db().insert(effect);
  }
};

/// Fails after its first step, until the third attempt.
struct Trip {
  static constexpr JobOptions options{
      .max_attempts = 5, .backoff = [](int) -> std::chrono::milliseconds { return 1ms; }};
  AEGIS_FIELDS(Trip)
  awaitable<void> run(JobContext& job) {
    const std::string ticket =
        co_await job.step("ticket", [&](Session& s) -> awaitable<std::string> {
          ++steps_done;
          Effect effect{.of = job.id(), .what = "ticket"};
          co_await s.insert(effect);
          co_return "seat " + std::to_string(job.attempt());
        });
    if (job.attempt() < 3) throw std::runtime_error("not yet");
    co_await job.step("room", [&](Session&) -> awaitable<void> {
      ++steps_done;
      co_return;
    });
    Effect effect{.of = job.id(), .what = ticket};
    co_await job.db().insert(effect);
  }
};

awaitable<std::int64_t> enqueue(Database& db, std::string what,
                                aegis::EnqueueOptions options = {}) {
  const Note job{.what = std::move(what)};
  auto body = [&](Session& s) -> awaitable<std::int64_t> {
    co_return (co_await s.enqueue(job, options)).id;
  };
  co_return co_await db.session(body);
}

awaitable<std::vector<std::string>> noted(Database& db) {
  co_return co_await db.read([](Session& s) -> awaitable<std::vector<std::string>> {
    std::vector<std::string> all;
    for (const auto& effect : co_await s.select<Effect>().order_by(Effect::col.id.asc()).all()) {
      all.push_back(effect.what);
    }
    co_return all;
  });
}

}  // namespace

DATABASE_TEST(a_job_runs_after_those_that_it_comes_after) {
  const auto a = co_await enqueue(db, "a");
  const auto b = co_await enqueue(db, "b", {.delay = 50ms});
  const auto c = co_await enqueue(db, "c", {.after = {a, b}});
  const auto last = co_await enqueue(db, "last", {.priority = -5, .after = {c}});
  BOOST_TEST((co_await waiting(db, c))->state == "blocked");
  ground.worker<Note>();
  BOOST_TEST((co_await end_of(db, last)).state == "completed");
  const auto all = co_await noted(db);
  BOOST_TEST(all == (std::vector<std::string>{"a", "b", "c", "last"}),
             boost::test_tools::per_element());
  co_await db.read([](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<aegis::jobs::JobAfter>().count() == 0);
  });
  // Of what is over nothing is to be waited for.
  const auto late = co_await enqueue(db, "late", {.after = {a, last}});
  BOOST_TEST((co_await end_of(db, late)).state == "completed");
}

DATABASE_TEST(a_failure_cancels_what_comes_after_it_unless_that_is_to_run_anyway) {
  const auto fails = co_await enqueue(db, "fail");
  const auto next = co_await enqueue(db, "next", {.after = {fails}});
  const auto further = co_await enqueue(db, "further", {.after = {next}});
  const auto report = co_await enqueue(
      db, "report", {.after = {fails, next}, .after_failure = aegis::AfterFailure::run});
  ground.worker<Note>();
  BOOST_TEST((co_await end_of(db, report)).state == "completed");
  const auto cancelled = co_await end_of(db, next);
  BOOST_TEST(cancelled.state == "cancelled");
  BOOST_TEST(*cancelled.error ==
             "job " + std::to_string(fails) + ", which it comes after, was not completed");
  BOOST_TEST((co_await end_of(db, further)).state == "cancelled");
  BOOST_TEST(co_await effects(db) == 1);

  auto after_failed = [&]() -> awaitable<void> { co_await enqueue(db, "x", {.after = {fails}}); };
  BOOST_TEST((co_await error_of(after_failed(), Errc::conflict)).find("was not completed") !=
             std::string::npos);
  auto after_none = [&]() -> awaitable<void> { co_await enqueue(db, "x", {.after = {12345}}); };
  BOOST_TEST(co_await error_of(after_none(), Errc::not_found) ==
             "Job Note cannot come after job 12345: there is none.");
}

DATABASE_TEST(what_a_dead_worker_left_blocked_is_found) {
  const auto a = co_await enqueue(db, "a");
  const auto b = co_await enqueue(db, "b", {.after = {a}});
  aegis::jobs::Store store(db);
  auto end = [&](Session& s) -> awaitable<void> {
    co_await store.end_waiting(s, a, "completed", "by hand");  // and nobody follows up
  };
  co_await db.session(end);
  BOOST_TEST((co_await waiting(db, b))->state == "blocked");
  co_await store.follow_up_stalled();
  BOOST_TEST((co_await waiting(db, b))->state == "available");
}

DATABASE_TEST(a_failure_at_the_last_moment_lets_no_follower_start) {
  const auto a = co_await enqueue(db, "a");
  const auto b = co_await enqueue(db, "b", {.after = {a}});
  const auto c =
      co_await enqueue(db, "c", {.after = {a}, .after_failure = aegis::AfterFailure::run});
  aegis::jobs::Store store(db);
  auto race = [&](Session& s) -> awaitable<void> {
    co_await store.end_waiting(s, a, "dead", "after others had asked who failed");
    const std::string followers = aegis::jobs::json_list({b, c});
    const std::array<aegis::Cell, 2> values{store.now(), followers};
    const auto released =
        co_await aegis::jobs::rows<aegis::jobs::Released>(s, store.sql().release, values);
    BOOST_REQUIRE(released.size() == 1);
    BOOST_TEST(released[0].id == c);
  };
  co_await db.session(race);
  BOOST_TEST((co_await waiting(db, b))->state == "blocked");
  co_await store.follow_up({a});
  BOOST_TEST((co_await finished(db, b))->state == "cancelled");
}

DATABASE_TEST(nothing_brings_a_blocked_job_before_its_turn) {
  using aegis::jobs::change, aegis::jobs::JobAction;
  const auto a = co_await enqueue(db, "a");
  const auto b = co_await enqueue(db, "b", {.key = "b", .after = {a}});
  for (const auto how : {aegis::OnConflict::replace, aegis::OnConflict::reschedule}) {
    co_await enqueue(db, "new b", {.key = "b", .on_conflict = how});
    BOOST_TEST((co_await waiting(db, b))->state == "blocked");
    auto both = [&]() -> awaitable<void> {
      co_await enqueue(db, "b", {.key = "b", .on_conflict = how, .after = {a}});
    };
    BOOST_TEST((co_await error_of(both(), Errc::invalid)).find("OnConflict::keep only") !=
               std::string::npos);
  }
  BOOST_TEST(co_await change(db, JobAction::erase, {.id = a}) == 0);
  BOOST_TEST((co_await waiting(db, b))->state == "blocked");
  BOOST_TEST(co_await change(db, JobAction::cancel, {.id = b}) == 1);
  BOOST_TEST(co_await change(db, JobAction::erase, {.id = a}) == 1);
  auto left = [](Session& s) -> awaitable<std::int64_t> {
    co_return co_await s.select<aegis::jobs::JobAfter>().count();
  };
  BOOST_TEST(co_await db.read(left) == 0);
}

DATABASE_TEST(a_bulk_retry_leaves_completed_jobs_alone_unless_they_are_asked_for) {
  using aegis::jobs::change, aegis::jobs::JobAction;
  const auto good = co_await enqueue(db, "good");
  const auto bad = co_await enqueue(db, "fail");
  aegis::jobs::Store store(db);
  co_await aegis::jobs::run_available(store, ground.services(), {&aegis::job_kind<Note>()});
  BOOST_TEST(co_await change(db, JobAction::retry, {.kind = "Note"}) == 1);
  BOOST_TEST((co_await waiting(db, bad))->state == "available");
  BOOST_TEST((co_await finished(db, good)).has_value());
  BOOST_TEST(co_await change(db, JobAction::retry, {.state = "completed"}) == 1);
}

BOOST_AUTO_TEST_CASE(what_the_framework_decides_on_is_never_read_from_a_replica) {
  OnDatabase ground("postgresql");
  auto& server = PostgresServer::shared();
  const std::string stale = server.create_database();
  {
    // That has not even got the tables yet.
    Database db(ground.runtime(), {.url = ground.url(), .read_url = server.url(stale)});
    const auto body = [&]() -> awaitable<void> {
      steps_done = 0;
      auto add = [](Session& s) -> awaitable<std::int64_t> {
        co_return (co_await s.enqueue<Trip>()).id;
      };
      const auto id = co_await db.session(add);
      aegis::jobs::Store store(db);
      auto over = [&]() -> awaitable<bool> {
        co_await aegis::jobs::run_available(store, ground.services(), {&aegis::job_kind<Trip>()});
        co_return (co_await finished(ground.database(), id)).has_value();
      };
      co_await eventually(over);
      BOOST_TEST(steps_done == 2);
      co_await db.close();
    };
    ground.wait(body());
  }
  server.drop_database(stale);
}

DATABASE_TEST(a_step_is_done_once_however_often_the_job_is_tried) {
  steps_done = 0;
  ground.worker<Trip>();
  auto body = [](Session& s) -> awaitable<std::int64_t> {
    co_return (co_await s.enqueue<Trip>()).id;
  };
  const auto job = co_await end_of(db, co_await db.session(body));
  BOOST_TEST(job.state == "completed");
  BOOST_TEST(job.attempt == 3);
  BOOST_TEST(steps_done == 2);
  const auto all = co_await noted(db);
  BOOST_TEST(all == (std::vector<std::string>{"ticket", "seat 1"}),
             boost::test_tools::per_element());
}
