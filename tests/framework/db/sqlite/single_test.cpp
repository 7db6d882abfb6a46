// One connection for everything: databases in memory, and tests that roll everything back.
#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;

namespace {

struct InMemory : Fixture {
  InMemory() {
    engine->stop();
    engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = "sqlite://:memory:"}));
    execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER UNIQUE)");
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(all_sessions_see_the_same_database_in_memory) {
  InMemory db;
  db.execute("INSERT INTO t (v) VALUES (1)");
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "1");
  auto body = [&](Link& link) -> awaitable<void> {
    BOOST_TEST((co_await read(link, "SELECT v FROM t")).first() == "1");
    co_await write(link, "INSERT INTO t (v) VALUES (2)");
    BOOST_TEST((co_await read(link, "SELECT count(*) FROM t")).first() == "2");
  };
  wait(db.session(body));
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "2");
}

BOOST_AUTO_TEST_CASE(a_read_in_memory_waits_for_the_turn) {
  InMemory db;
  const auto writer = db.open();
  wait(write(*writer, "INSERT INTO t (v) VALUES (1)"));
  std::string seen;
  auto look = [&]() -> awaitable<void> {
    const auto link = db.open();
    seen = (co_await read(*link, "SELECT count(*) FROM t")).first();
  };
  asio::io_context io{1};
  asio::co_spawn(io, look(), [](std::exception_ptr) {});
  while (db.engine->writer.figures().waiting == 0) io.run_for(std::chrono::milliseconds(1));
  BOOST_TEST(seen.empty());
  wait(writer->rollback());
  io.run();
  BOOST_TEST(seen == "0");  // nothing of what was rolled back
}

BOOST_AUTO_TEST_CASE(a_write_in_memory_that_was_taken_for_a_read_is_a_write) {
  InMemory db;
  const auto link = db.open();
  wait(read(*link, "INSERT INTO t (v) VALUES (1) RETURNING id"));
  wait(link->rollback());
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "0");
}

BOOST_AUTO_TEST_CASE(a_test_leaves_no_trace) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER UNIQUE)");
  db.execute("INSERT INTO t (v) VALUES (1)");
  db.engine->stop();

  const DatabaseOptions options{.url = url_of(db.file), .rolled_back = true};
  db.engine = std::make_shared<sqlite::Engine>(sqlite::read_config(options));
  db.execute("INSERT INTO t (v) VALUES (2)");
  const auto failing = db.open();
  BOOST_TEST((error_of([&] { wait(write(*failing, "INSERT INTO t (v) VALUES (2)")); }).first ==
              Errc::conflict));
  const auto left = db.open();
  wait(write(*left, "INSERT INTO t (v) VALUES (3)"));
  wait(left->rollback());
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "2");
  db.engine->stop();

  db.engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = url_of(db.file)}));
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "1");
}
