#include <aegis/testing/testing.h>

using namespace aegis;

void nothing(App&) {}

AEGIS_TEST_APPLICATION(nothing)

AEGIS_TEST_CASE(the_application_is_alive) {
  const auto reply = co_await app.get("/livez");
  BOOST_TEST(reply.status() == 200);
}
