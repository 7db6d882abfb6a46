// What tests of an application can do with its jobs.
#include <aegis/testing/testing.h>

#include "mark.h"

using namespace aegis;
using namespace std::chrono_literals;

namespace {

/// Enqueues the next one until `left` is none.
struct Chain {
  int left = 0;

  AEGIS_FIELDS(Chain, (left))
  awaitable<void> run(JobContext& job) {
    if (left > 0) co_await job.db().enqueue<Chain>(left - 1);
  }
};

struct Fail {
  static constexpr JobOptions options{
      .max_attempts = 2, .backoff = [](int) -> std::chrono::milliseconds { return 1min; }};
  AEGIS_FIELDS(Fail)
  awaitable<void> run(JobContext&) {
    throw std::runtime_error("no luck");
    co_return;
  }
};

struct AskForClock {
  AEGIS_FIELDS(AskForClock)
  awaitable<void> run(JobContext& job) {
    job.output(to_string(job.service<Clock>().now()));
    co_return;
  }
};

struct AlsoMark {
  static constexpr JobOptions options{.name = "Mark"};
  AEGIS_FIELDS(AlsoMark)
  awaitable<void> run(JobContext&) { co_return; }
};

awaitable<void> begin(Session& db) {
  co_await db.enqueue<Chain>(3);
}

void routes(Router& router) {
  router.post("/begin", begin);
}

void configure(App& app) {
  app.models<Effect>().routes(routes).jobs<Mark, Chain>().jobs<Fail, AskForClock>();
}

}  // namespace

AEGIS_TEST_APPLICATION(configure)

AEGIS_TEST_CASE(what_a_request_enqueues_is_seen_and_run) {
  co_await app.post("/begin", "");
  const auto waiting = co_await app.enqueued<Chain>();
  BOOST_REQUIRE(waiting.size() == 1);
  BOOST_TEST(waiting[0].left == 3);
  const auto ran = co_await app.run_jobs();
  BOOST_TEST(ran.succeeded == 4);
  BOOST_TEST((co_await app.enqueued<Chain>()).empty());
}

AEGIS_TEST_CASE(what_fails_is_tried_again_when_the_clock_has_moved) {
  co_await app.db().session([](Session& s) -> awaitable<void> { co_await s.enqueue<Fail>(); });
  auto ran = co_await app.run_jobs();
  BOOST_TEST(ran.failed == 1);
  BOOST_REQUIRE(ran.errors.size() == 1);
  BOOST_TEST(ran.errors[0] == "attempt 1: no luck");
  BOOST_TEST((co_await app.run_jobs()).failed == 0);
  app.clock().advance(1min);
  ran = co_await app.run_jobs();
  BOOST_TEST(ran.dead == 1);
}

AEGIS_TEST_CASE(what_is_for_later_waits_for_the_clock) {
  co_await app.db().session([](Session& s) -> awaitable<void> {
    co_await s.enqueue(Mark{.number = 1}, {.delay = 1h});
    co_await s.enqueue(AskForClock{}, {.delay = 1h});
  });
  BOOST_TEST((co_await app.run_jobs()).succeeded == 0);
  app.clock().advance(1h);
  BOOST_TEST((co_await app.run_jobs()).succeeded == 2);
  co_await app.db().read([](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.select<Effect>().one()).of == 1);
  });
}

AEGIS_TEST_CASE(two_kinds_of_one_name_are_refused) {
  App other("other");
  other.jobs<Mark>();
  BOOST_CHECK_EXCEPTION(other.jobs<AlsoMark>(), Error, [](const Error& error) {
    return std::string_view(error.what()).starts_with("Two kinds of jobs are called Mark;");
  });
  co_return;
}

AEGIS_TEST_CASE(jobs_run_inline_when_asked_to) {
  app.run_jobs_inline();
  co_await app.post("/begin", "");
  BOOST_TEST((co_await app.enqueued<Chain>()).empty());
  BOOST_TEST(app.jobs_ran().succeeded == 4);
  co_await app.session([](Session& s) -> awaitable<void> { co_await s.enqueue<Fail>(); });
  BOOST_TEST(app.jobs_ran().failed == 1);
  BOOST_TEST(app.jobs_ran().errors.back() == "attempt 1: no luck");
}
