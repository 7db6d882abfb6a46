// pool_size "auto": the processes that share a server share its connections.
#include <algorithm>

#include "db/postgres/config.h"
#include "fixture.h"

using namespace aegis;
using namespace aegis::db::postgres::test;
using aegis::db::postgres::pool_share;

namespace {

std::int64_t pool_size(Fixture& f, Database& database) {
  const DatabaseReport report = f.wait(database.inspect());
  const auto found = std::ranges::find(report.pool, "pool_size", &DatabaseReport::Fact::name);
  return std::get<std::int64_t>(found->value);
}

void wait_for_size(Fixture& f, Database& database, std::int64_t size) {
  while (pool_size(f, database) != size) {
    f.io.restart();
    f.io.run_for(10ms);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_share_is_fair_and_bounded) {
  BOOST_TEST(pool_share(97, 0, 1, 2, 2) == 40);  // a server's whole room is more than is of use
  BOOST_TEST(pool_share(97, 0, 4, 2, 2) ==
             17);  // (97 - 9) / 4, less two lanes a core and a listener
  BOOST_TEST(pool_share(97, 48, 4, 2, 2) == 5);  // others have theirs
  BOOST_TEST(pool_share(97, 97, 4, 2, 2) == 2);  // one a core, whatever there is
  BOOST_TEST(pool_share(97, 0, 500, 8, 8) == 8);
  BOOST_TEST(pool_share(97, 0, 0, 1, 1) == 20);
  // A worker's own thread has two lanes and as many of a pool as a core: 10 + 5 + 6 + 1 = 22.
  BOOST_TEST(pool_share(97, 0, 4, 2, 3) == 10);
  BOOST_TEST(pool_share(97, 0, 4, 2, 0) == 17);  // not all threads have asked yet
}

BOOST_AUTO_TEST_CASE(processes_that_come_and_go_change_it) {
  PostgresServer server({"max_connections = 23", "superuser_reserved_connections = 3"});
  Fixture f({{"pool_size", "auto"}}, server);
  // (23 - 3) * 9 / 10 = 18, less three.
  f.wait(one<std::int64_t>(*f.database, "SELECT 1::bigint"));
  wait_for_size(f, *f.database, 15);
  {
    Database other(f.runtime, {.url = f.url, .connect_args = {{"pool_size", "auto"}}});
    f.wait(one<std::int64_t>(other, "SELECT 1::bigint"));
    wait_for_size(f, other, 6);  // 18 / 2, less three
    wait_for_size(f, *f.database, 6);
    f.wait(other.close());
  }
  wait_for_size(f, *f.database, 15);
  BOOST_TEST(f.execute("SELECT 1") == "1");
}

BOOST_AUTO_TEST_CASE(a_pool_that_is_too_large_shrinks) {
  PostgresServer server({"max_connections = 23", "superuser_reserved_connections = 3"});
  Fixture f({{"pool_size", "auto"}}, server);
  f.wait(one<std::int64_t>(*f.database, "SELECT 1::bigint"));
  wait_for_size(f, *f.database, 15);
  std::vector<Session> sessions;
  for (int i = 0; i < 12; ++i) {
    sessions.push_back(f.database->begin());
    f.wait(sessions.back().execute("SELECT pg_advisory_xact_lock_shared(1)"));
  }
  sessions.clear();
  Database other(f.runtime, {.url = f.url, .connect_args = {{"pool_size", "auto"}}});
  const auto open = [&] {
    const DatabaseReport report = f.wait(f.database->inspect());
    const auto found = std::ranges::find(report.pool, "pool_open", &DatabaseReport::Fact::name);
    return std::get<std::int64_t>(found->value);
  };
  while (open() < 12) f.io.restart(), f.io.run_for(10ms);  // the figures are of the last tick
  f.wait(one<std::int64_t>(other, "SELECT 1::bigint"));
  while (open() > 6) f.io.restart(), f.io.run_for(10ms);
  f.wait(other.close());
}
