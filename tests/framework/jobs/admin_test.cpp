// What people see of jobs and queues, and do with them.
#include "jobs/admin.h"

#include <algorithm>

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
