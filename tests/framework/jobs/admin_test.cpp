// What people see of jobs and queues, and do with them.
#include "jobs/admin.h"

#include <algorithm>

#include "aegis/core/settings.h"
#include "app/jobs_health.h"
#include "ground.h"

namespace {

struct Touch {
  AEGIS_FIELDS(Touch)
  awaitable<void> run(JobContext&) { co_return; }
};

struct Limited {
  static constexpr JobOptions options{.limit = {.running = 1}};
  AEGIS_FIELDS(Limited)
  awaitable<void> run(JobContext&) { co_return; }
};

template <class J>
awaitable<void> enqueue(Database& db, int count, aegis::EnqueueOptions options) {
  const std::vector<J> jobs(static_cast<std::size_t>(count));
  auto body = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(jobs, options); };
  co_await db.session(body);
}

}  // namespace

DATABASE_TEST(a_queue_behind_a_big_one_is_seen) {
  co_await enqueue<Touch>(db, 15'000, {.queue = "big", .run_at = aegis::Timestamp{}});
  co_await enqueue<Touch>(db, 2, {.queue = "small", .run_at = aegis::Timestamp{}});
  co_await enqueue<Limited>(db, 3, {.queue = "limited"});
  co_await enqueue<Touch>(db, 1, {.queue = "later", .delay = 1h});
  aegis::jobs::Store store(db);
  co_await aegis::jobs::pause(db, "empty");
  const auto found = (co_await store.overview()).queues;
  std::vector<std::string> names;
  for (const auto& queue : found) names.push_back(queue.name);
  BOOST_TEST_REQUIRE(names == (std::vector<std::string>{"big", "empty", "limited", "small"}),
                     boost::test_tools::per_element());
  BOOST_TEST(found[0].available == 10'000);
  BOOST_TEST(found[1].paused);
  BOOST_TEST(found[2].available == 3);
  BOOST_TEST(found[3].available == 2);
  BOOST_TEST(found[3].oldest_ms > 1'000'000);
}

DATABASE_TEST(finished_jobs_of_every_queue_are_forgotten_in_time_a_bite_at_a_time) {
  for (const std::string queue : {"one", "two", "three"}) {
    co_await enqueue<Touch>(db, 5, {.queue = queue});
  }
  aegis::jobs::Store store(db);
  BOOST_TEST(co_await aegis::jobs::change(db, aegis::jobs::JobAction::cancel, {.kind = "Touch"}) ==
             15);
  BOOST_TEST(co_await store.prune("cancelled", 1h, 10) == 0);
  BOOST_TEST(co_await store.prune("completed", -1s, 10) == 0);
  BOOST_TEST(co_await store.prune("cancelled", -1s, 10) == 10);
  BOOST_TEST(co_await store.prune("cancelled", -1s, 10) == 5);
  auto left = [](Session& s) -> awaitable<std::int64_t> {
    co_return co_await s.select<FinishedJob>().count();
  };
  BOOST_TEST(co_await db.read(left) == 0);
}

DATABASE_TEST(jobs_that_wait_are_given_another_time) {
  using aegis::jobs::change, aegis::jobs::JobAction;
  co_await enqueue<Touch>(db, 3, {});
  co_await enqueue<Touch>(db, 1, {.queue = "other", .delay = 1h});
  const auto moment = *aegis::parse_timestamp("2100-01-01T00:00:00Z");
  BOOST_TEST(co_await change(db, JobAction::reschedule, {.queue = "default"}, nullptr,
                             {.at = moment}) == 3);
  auto moved = co_await aegis::jobs::list(db, {.state = "scheduled", .queue = "default"}, 9);
  BOOST_REQUIRE(moved.size() == 3);
  BOOST_TEST((moved[0].run_at == moment));
  BOOST_TEST(co_await change(db, JobAction::reschedule, {.queue = "other"}) == 1);  // now
  BOOST_TEST(co_await aegis::jobs::count(db, {.state = "available"}) == 1);
  BOOST_TEST(co_await change(db, JobAction::cancel, {.queue = "other"}) == 1);
  BOOST_TEST(co_await change(db, JobAction::reschedule, {.queue = "other"}) == 0);
}

DATABASE_TEST(how_many_attempts_fail_is_counted_for_each_queue) {
  co_await enqueue<Touch>(db, 4, {.queue = "bad", .max_attempts = 2});
  co_await enqueue<Touch>(db, 4, {.queue = "good"});
  aegis::jobs::Store store(db);
  co_await store.sign_on({.lease = 61, .name = "one", .length = 1h, .concurrency = 9});
  using aegis::jobs::Ending;
  const auto run = [&](std::string queue, Ending::How how) -> awaitable<void> {
    for (const auto& claim : co_await store.fetch(61, queue, 2, R"(["Touch"])")) {
      const std::vector<std::pair<aegis::jobs::Fence, Ending>> end{
          {{claim.id, claim.starts, 61, claim.attempt}, {.how = how, .delay = 1h}}};
      co_await store.end(end);
    }
  };
  co_await run("bad", Ending::How::failed);
  co_await run("bad", Ending::How::dead);
  co_await run("good", Ending::How::completed);
  const auto found = (co_await store.overview()).queues;
  BOOST_REQUIRE(found.size() == 2);
  BOOST_TEST(found[0].name == "bad");
  BOOST_TEST(found[0].attempts == 4);
  BOOST_TEST(found[0].failed == 4);
  BOOST_TEST(found[1].attempts == 2);
  BOOST_TEST(found[1].failed == 0);
}

DATABASE_TEST(health_tells_of_a_queue_whose_attempts_fail_too_often) {
  co_await enqueue<Touch>(db, 40, {.max_attempts = 1});
  aegis::jobs::Store store(db);
  co_await store.sign_on({.lease = 71, .name = "one", .length = 1h, .concurrency = 40});
  const auto end = [&](int count, aegis::jobs::Ending::How how) -> awaitable<void> {
    std::vector<std::pair<aegis::jobs::Fence, aegis::jobs::Ending>> ends;
    for (const auto& claim : co_await store.fetch(71, "default", count, R"(["Touch"])")) {
      ends.push_back({{claim.id, claim.starts, 71, claim.attempt}, {.how = how, .delay = 1h}});
    }
    co_await store.end(ends);
  };
  aegis::Settings settings;
  settings.jobs_failure_warning = 20;
  settings.jobs_failure_unhealthy = 60;
  const auto check = aegis::jobs_health(db, settings);
  const auto status = [&]() -> awaitable<std::string> {
    const auto health = co_await check->check();
    co_return std::string(to_string(health.sub_components.at(0).status));
  };
  co_await end(16, aegis::jobs::Ending::How::completed);
  co_await end(4, aegis::jobs::Ending::How::failed);  // 20 %
  BOOST_TEST(co_await status() == "healthy");
  co_await end(1, aegis::jobs::Ending::How::failed);
  BOOST_TEST(co_await status() == "warning");
  co_await end(40, aegis::jobs::Ending::How::failed);
  BOOST_TEST(co_await status() == "warning");  // 24 of 40
  co_await enqueue<Touch>(db, 1, {.max_attempts = 1});
  co_await end(1, aegis::jobs::Ending::How::dead);
  BOOST_TEST(co_await status() == "unhealthy");
}
