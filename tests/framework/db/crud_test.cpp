#include "on_database.h"

using boost::test_tools::per_element;

DATABASE_TEST(an_inserted_row_gets_its_key_and_is_read_back) {
  Shield aegis = shield("Aegis", 90, "bronze", "petrifying");
  co_await db.session([&](Session& s) -> awaitable<void> { co_await s.insert(aegis); });
  BOOST_REQUIRE(aegis.id.has_value());
  co_await db.read([&](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.get<Shield>(*aegis.id) == aegis));
    BOOST_TEST((co_await s.find<Shield>(*aegis.id) == aegis));
    BOOST_TEST(!(co_await s.find<Shield>(*aegis.id + 1)).has_value());
  });
}
