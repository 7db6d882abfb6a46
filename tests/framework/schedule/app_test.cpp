// The application's side: what tests can do with schedules, the HTTP API, health, built-in jobs.
#include "../jobs/api_client.h"
#include "app/schedules_health.h"

using namespace aegis;
using namespace std::chrono_literals;

namespace {

struct Tell {
  std::string text = "hello";

  AEGIS_FIELDS(Tell, (text))
  awaitable<void> run(JobContext& job) {
    const auto run = co_await scheduled_run(job);
    job.output(run ? run->schedule + " after " + run->previous_outcome.value_or("nothing")
                   : "alone");
  }
};

void schedules(Schedules& s) {
  s.every<Tell>("minutely", 1min);
  s.cron<Tell>("yearly", "@yearly", {.text = "happy new year"});
}

void configure(App& app) {
  app.schedules(schedules);
  open_with_key(app);
}

}  // namespace

AEGIS_TEST_APPLICATION(configure)

AEGIS_TEST_CASE(schedules_are_fired_when_the_clock_has_moved) {
  app.clock().advance(1min);
  BOOST_TEST(co_await app.fire_schedules() == 1);
  BOOST_TEST((co_await app.enqueued<Tell>()).at(0).text == "hello");
  BOOST_TEST((co_await app.run_jobs()).succeeded == 1);
  app.clock().advance(1min);
  BOOST_TEST(co_await app.fire_schedules() == 1);
  BOOST_TEST((co_await app.run_jobs()).succeeded == 1);
  const auto history = co_await ok(app.get("/schedules/minutely/history?limit=2", key));
  BOOST_TEST(contains(history, "minutely after completed"), history);
  BOOST_TEST(contains(history, "minutely after nothing"), history);
  BOOST_TEST(contains(history, R"("outcome":"completed")"), history);
}

AEGIS_TEST_CASE(schedules_need_the_token) {
  BOOST_TEST((co_await app.get("/schedules")).status() == 401);
  BOOST_TEST((co_await app.post("/schedules", R"({"name":"x","kind":"Tell","timing":"@daily"})"))
                 .status() == 401);
  for (const char* path : {"run", "pause", "resume"}) {
    BOOST_TEST((co_await app.post(std::string("/schedules/minutely/") + path, "")).status() == 401);
  }
  BOOST_TEST((co_await app.del("/schedules/minutely")).status() == 401);
  App other("other");
  other.schedules(schedules);
  other.parts().declare_schedules();
  other.parts().add_routes([] { return std::string(); });
  for (const auto& endpoint : other.parts().router.endpoints()) {
    BOOST_TEST(!endpoint->path.starts_with("/schedules"));
  }
}

AEGIS_TEST_CASE(schedules_are_looked_after_over_http) {
  const auto list = co_await ok(app.get("/schedules?limit=1", key));
  BOOST_TEST(contains(list, R"("name":"minutely","state":"active","kind":"Tell")"), list);
  BOOST_TEST(contains(list, R"("next":"minutely")"), list);
  BOOST_TEST(
      contains(co_await ok(app.get("/schedules?after=minutely", key)), R"("name":"yearly")"));
  BOOST_TEST(
      contains(co_await ok(app.get("/schedules/yearly/next?limit=2", key)), "-01-01T00:00:00"));
  co_await ok(app.get("/schedules/none", key), 404);
  BOOST_TEST(contains(co_await ok(app.get("/schedules/yearl/history", key), 404),
                      "did you mean \\\"yearly\\\"?"));

  const auto next = co_await ok(app.get("/schedules/next?limit=3", key));
  BOOST_TEST(times(next, R"("schedule":"minutely")") == 3, next);
  BOOST_TEST(contains(next, R"("without":[])"), next);
  BOOST_TEST(co_await ok(app.get("/schedules/history?limit=3", key)) == "[]");

  const std::string spec =
      R"({"name":"made","kind":"Tell","arguments":"{\"text\":\"you\"}","timing":"0 3 * * *","zone":"Europe/Berlin","jitter":"10s"})";
  const auto made = co_await ok(app.post("/schedules", spec, key), 201);
  BOOST_TEST(contains(made, R"("declared":false)"), made);
  BOOST_TEST(contains(co_await ok(app.post("/schedules", spec, key), 409),
                      "There is a schedule made already."));
  const auto bad = co_await ok(
      app.post("/schedules", R"({"name":"x","kind":"Tell","timing":"0 25 * * *"})", key), 422);
  BOOST_TEST(contains(bad, "is out of range; allowed: 0-23"), bad);
  co_await ok(app.post("/schedules",
                       R"({"name":"x","kind":"Tell","timing":"@daily","overlap":"maybe"})", key),
              422);

  for (const std::string refused :
       {R"("name":"x","timing":"0 0 L-30 2 *")", R"("name":"x","timing":"0 0 */20 * FRI#2")",
        R"("name":"next","timing":"@daily")", R"("name":"","timing":"@daily")",
        R"("name":"x","timing":"@daily","ends_at":"2000-01-01T00:00:00Z")"}) {
    co_await ok(app.post("/schedules", "{\"kind\":\"Tell\"," + refused + "}", key), 422);
  }

  co_await ok(app.post("/schedules/made/pause", "", key), 204);
  BOOST_TEST(contains(co_await ok(app.get("/schedules/made", key)), R"("state":"paused")"));
  co_await ok(app.post("/schedules/made/resume", "", key), 204);
  co_await ok(app.post("/schedules/made/run", "", key));
  BOOST_TEST((co_await app.enqueued<Tell>()).at(0).text == "you");
  co_await ok(app.del("/schedules/made", key), 204);
  co_await ok(app.del("/schedules/minutely", key), 409);
}

AEGIS_TEST_CASE(late_schedules_are_a_warning_that_names_them) {
  const auto check = schedules_health(app.db(), Settings());
  auto health = co_await check->check();
  BOOST_TEST((health.status == HealthStatus::healthy));
  app.clock().advance(5min);
  health = co_await check->check();
  BOOST_TEST((health.status == HealthStatus::warning));
  BOOST_TEST(contains(health.message, "minutely"), health.message);
  BOOST_TEST(!contains(health.message, "yearly"), health.message);
}

AEGIS_TEST_CASE(a_schedule_that_cannot_be_read_is_a_warning_that_names_it) {
  auto tear = [](Session& s) -> awaitable<void> {
    co_await s.execute("UPDATE aegis_schedule SET zone = 'Atlantis/Poseidonis' WHERE name = $1",
                       "yearly");
  };
  co_await app.db().session(tear);
  const auto check = schedules_health(app.db(), Settings());
  const auto health = co_await check->check();
  BOOST_TEST((health.status == HealthStatus::warning));
  BOOST_TEST(contains(health.message, "not fired: yearly"), health.message);
  BOOST_TEST(contains(health.message, "Atlantis"), health.message);
  BOOST_TEST(contains(co_await ok(app.get("/schedules/next", key)), "cannot be read"));
}
