#include <aegis/health/health.h>
#include <aegis/testing/testing.h>

#include <cstdlib>

using namespace aegis;
using namespace std::chrono_literals;

namespace {

struct Reading {
  std::optional<std::int64_t> id{};
  Timestamp taken_at{};
  AEGIS_TABLE(Reading, "reading", (id, primary_key), (taken_at))
};

awaitable<Created<Reading>> take(Service<Clock> clock, Session& db) {
  Reading reading{.taken_at = clock->now()};
  co_await db.insert(reading);
  co_return reading;
}

class StoreHealth : public HealthCheck {
 public:
  explicit StoreHealth(Database& database) : database_(database) {}
  std::string_view name() const override { return "store"; }
  awaitable<ComponentHealth> check() override {
    std::int64_t rows = 0;
    auto count = [&](Session& s) -> awaitable<void> {
      rows = co_await s.select<Reading>().count();
    };
    co_await database_.read(count);
    co_return ComponentHealth{.metadata = {{"readings", rows}}};
  }

 private:
  Database& database_;
};

void configure(App& app) {
  app.models<Reading>()
      .routes([](Router& r) { r.post("/readings", take); })
      .health([](const Services& services) -> std::unique_ptr<HealthCheck> {
        return std::make_unique<StoreHealth>(*services.find<Database>());
      });
}

}  // namespace

AEGIS_TEST_APPLICATION(configure)

AEGIS_TEST_CASE(handlers_see_the_clock_that_the_test_moves) {
  const Timestamp start = app.clock().now();
  app.clock().advance(48h);
  const auto reply = co_await app.post("/readings", "");
  BOOST_REQUIRE_EQUAL(reply.status(), 201);
  auto newest = [&](Session& s) -> awaitable<Reading> { co_return co_await s.get<Reading>(1); };
  const Reading reading = co_await app.db().read(newest);
  BOOST_TEST((reading.taken_at == start + 48h));
}

AEGIS_TEST_CASE(each_case_has_a_database_of_its_own) {
  const auto reply = co_await app.post("/readings", "");
  BOOST_TEST(reply.header("Location") == "/readings/1");
}

AEGIS_TEST_CASE(a_health_check_can_be_made_of_the_database) {
  co_await app.post("/readings", "");
  const auto reply = co_await app.get("/health/detailed");
  BOOST_TEST(reply.status() == 200);
  BOOST_TEST((reply.body().find(R"("readings":1)") != std::string::npos), reply.body());
}

BOOST_AUTO_TEST_CASE(a_test_does_not_open_the_configured_database) {
  ::setenv("DATABASE_URL", "sqlite:///precious.db", 1);
  ::setenv("TEST_DATABASE_URL", "sqlite:///precious.db", 1);
  BOOST_CHECK_EXCEPTION(aegis::testing::TestApp(), Error, [](const Error& error) {
    return std::string(error.what()).find("DATABASE_URL=sqlite:///precious.db") !=
           std::string::npos;
  });
  ::unsetenv("DATABASE_URL");
  ::unsetenv("TEST_DATABASE_URL");
}
