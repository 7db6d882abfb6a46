#include <aegis/testing/testing.h>

using namespace aegis;

AEGIS_TEST_CASE(the_world_is_greeted) {
  auto reply = co_await app.get("/hello");
  BOOST_TEST(reply.status() == 200);
  BOOST_TEST(reply.body() == R"({"message":"Hello, world!"})");
}

AEGIS_TEST_CASE(somebody_is_greeted_by_name) {
  auto reply = co_await app.get("/hello?name=Athena");
  BOOST_TEST(reply.body() == R"({"message":"Hello, Athena!"})");
}

AEGIS_TEST_CASE(nobody_is_not_greeted) {
  auto reply = co_await app.get("/hello?name=");
  BOOST_TEST(reply.status() == 422);
  BOOST_TEST(reply.content_type() == "application/problem+json");
}
