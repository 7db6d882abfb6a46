// The HTTP API for jobs and queues.
#include "api_client.h"

using namespace aegis;
using namespace std::chrono_literals;

namespace {

struct Polish {
  static constexpr JobOptions options{.max_attempts = 1};
  int number = 0;

  AEGIS_FIELDS(Polish, (number))
  awaitable<void> run(JobContext& job) {
    job.log("polishing");
    if (number < 0) throw std::runtime_error("nothing to polish");
    co_return;
  }
};

struct Melt {
  static constexpr JobOptions options{.queue = "forge"};
  AEGIS_FIELDS(Melt)
  awaitable<void> run(JobContext&) { co_return; }
};

void configure(App& app) {
  app.jobs<Polish, Melt>();
  open_with_key(app);
}

awaitable<std::int64_t> enqueue(testing::TestApp& app, int number, EnqueueOptions options = {}) {
  auto body = [&](Session& s) -> awaitable<std::int64_t> {
    co_return (co_await s.enqueue(Polish{.number = number}, options)).id;
  };
  co_return co_await app.db().session(body);
}

std::string path(std::int64_t id, std::string_view more = "") {
  return "/jobs/" + std::to_string(id) + std::string(more);
}

}  // namespace

AEGIS_TEST_APPLICATION(configure)

AEGIS_TEST_CASE(without_the_token_nothing_is_told) {
  const auto id = co_await enqueue(app, 1);
  for (const std::string given : {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeX",
                                  "Basic 0123456789abcdef", "0123456789abcdef"}) {
    testing::TestApp::Headers headers;
    if (!given.empty()) headers.emplace_back("Authorization", given);
    for (const auto& reply :
         {co_await app.get("/jobs", headers), co_await app.get(path(id), headers),
          co_await app.del(path(id), headers), co_await app.get("/queues", headers),
          co_await app.post("/jobs/cancel", R"({"state":"available"})", headers),
          co_await app.post("/queues/default/pause", "", headers)}) {
      BOOST_TEST(reply.status() == 401, given);
      BOOST_TEST(reply.header("WWW-Authenticate") == "Bearer");
    }
  }
  BOOST_TEST((co_await app.run_jobs()).succeeded == 1);
}

AEGIS_TEST_CASE(without_a_configured_token_there_is_no_api) {
  App other("other");
  other.jobs<Polish>();
  other.parts().add_routes([] { return std::string(); });
  for (const auto& endpoint : other.parts().router.endpoints()) {
    BOOST_TEST(!endpoint->path.starts_with("/jobs"));
    BOOST_TEST(!endpoint->path.starts_with("/queues"));
  }
  co_return;
}

AEGIS_TEST_CASE(jobs_are_listed_by_filter_and_page_by_page) {
  for (int i = 0; i < 5; ++i) co_await enqueue(app, i);
  const auto tagged = co_await enqueue(app, 5, {.delay = 1h, .tags = {"a \"b\"", "gold"}});
  auto body = [](Session& s) -> awaitable<void> { co_await s.enqueue<Melt>(); };
  co_await app.db().session(body);

  std::string page = co_await ok(app.get("/jobs?limit=4", key));
  BOOST_TEST(times(page, "\"id\":") == 4);
  BOOST_TEST(contains(page, R"("next":"4")"), page);
  page = co_await ok(app.get("/jobs?limit=4&after=4", key));
  BOOST_TEST(times(page, "\"id\":") == 3);
  BOOST_TEST(contains(page, R"("next":null)"));

  BOOST_TEST(times(co_await ok(app.get("/jobs?kind=Melt", key)), "\"id\":") == 1);
  BOOST_TEST(times(co_await ok(app.get("/jobs?queue=default", key)), "\"id\":") == 6);
  BOOST_TEST(times(co_await ok(app.get("/jobs?state=scheduled", key)), "\"id\":") == 1);
  BOOST_TEST(
      contains(co_await ok(app.get("/jobs?tag=gold", key)), "\"id\":" + std::to_string(tagged)));
  BOOST_TEST(times(co_await ok(app.get("/jobs?tag=a%20%22b%22", key)), "\"id\":") == 1);
  BOOST_TEST(times(co_await ok(app.get("/jobs?tag=gol", key)), "\"id\":") == 0);
  co_await ok(app.get("/jobs?state=lost", key), 422);
}

AEGIS_TEST_CASE(a_job_is_shown_with_its_log) {
  const auto id = co_await enqueue(app, -1);
  co_await app.run_jobs();
  const auto shown = co_await ok(app.get(path(id), key));
  BOOST_TEST(contains(shown, R"("state":"dead")"), shown);
  BOOST_TEST(contains(shown, "attempt 1: nothing to polish"), shown);
  BOOST_TEST(contains(shown, "attempt 1: polishing"), shown);
  co_await ok(app.get("/jobs/999999", key), 404);
}

AEGIS_TEST_CASE(a_job_is_cancelled_retried_and_deleted) {
  const auto id = co_await enqueue(app, 1);
  BOOST_TEST(co_await ok(app.post(path(id, "/cancel"), "", key)) == R"({"changed":1})");
  BOOST_TEST(contains(co_await ok(app.get(path(id), key)), R"("state":"cancelled")"));
  BOOST_TEST(contains(co_await ok(app.post(path(id, "/cancel"), "", key), 409),
                      "is cancelled and cannot be cancelled"));
  co_await ok(app.post(path(id, "/retry"), "", key));
  BOOST_TEST((co_await app.run_jobs()).succeeded == 1);
  co_await ok(app.del(path(id), key));
  co_await ok(app.get(path(id), key), 404);
  co_await ok(app.del(path(id), key), 404);
}

AEGIS_TEST_CASE(many_jobs_are_changed_by_a_filter_that_says_something) {
  std::vector<Polish> jobs(1'200);
  auto body = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(jobs); };
  co_await app.db().session(body);
  co_await ok(app.post("/jobs/cancel", "{}", key), 422);
  BOOST_TEST(co_await ok(app.post("/jobs/cancel", R"({"kind":"Polish"})", key)) ==
             R"({"changed":1200})");
  BOOST_TEST((co_await app.run_jobs()).succeeded == 0);
  BOOST_TEST(co_await ok(app.post("/jobs/delete", R"({"state":"cancelled"})", key)) ==
             R"({"changed":1200})");
  BOOST_TEST(times(co_await ok(app.get("/jobs", key)), "\"id\":") == 0);
}

AEGIS_TEST_CASE(a_queue_is_paused_and_resumed) {
  co_await enqueue(app, 1);
  co_await ok(app.post("/queues/default/pause", "", key), 204);
  BOOST_TEST((co_await app.run_jobs()).succeeded == 0);
  const auto queues = co_await ok(app.get("/queues", key));
  BOOST_TEST(contains(queues, R"("name":"default","paused":true,"available":1)"), queues);
  co_await ok(app.post("/queues/default/resume", "", key), 204);
  BOOST_TEST((co_await app.run_jobs()).succeeded == 1);
}

AEGIS_TEST_CASE(a_job_is_given_another_time) {
  const auto id = co_await enqueue(app, 1);
  co_await ok(app.post(path(id, "/reschedule"), R"({"at":"2100-01-01T00:00:00Z"})", key));
  BOOST_TEST(contains(co_await ok(app.get(path(id), key)), R"("run_at":"2100-01-01T00:00:00)"));
  BOOST_TEST((co_await app.run_jobs()).succeeded == 0);
  BOOST_TEST(co_await ok(app.post("/jobs/reschedule", R"({"kind":"Polish","in":"1h"})", key)) ==
             R"({"changed":1})");
  app.clock().advance(1h);
  BOOST_TEST((co_await app.run_jobs()).succeeded == 1);
  co_await ok(app.post(path(id, "/reschedule"), R"({"in":"1h"})", key), 409);
  co_await ok(app.post(path(id, "/reschedule"), "{}", key), 422);
  co_await ok(app.post("/jobs/reschedule", R"({"in":"1h"})", key), 422);
  co_await ok(app.post("/jobs/reschedule", R"({"in":"1h","kind":"Polish"})"), 401);
}
