// Reads outside transactions: in place, moved to a reader, in memory.
#include <boost/asio/thread_pool.hpp>
#include <future>
#include <thread>

#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;

namespace {

constexpr std::string_view long_read =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
    "SELECT i FROM n";

Rows read_alone(Fixture& db, std::string_view sql) {
  const auto link = db.open();
  return wait(read(*link, sql));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_short_read_stays_on_its_thread) {
  Fixture db;
  struct Where final : RowSink {
    void columns(std::span<const std::string_view>) override {}
    void row(std::span<const Cell>) override { thread = std::this_thread::get_id(); }
    void restart() override {}
    std::thread::id thread;
  } where;
  const auto link = db.open();
  const Statement statement{"SELECT 1", {}, false};
  wait(link->run(statement, where));
  BOOST_TEST((where.thread == std::this_thread::get_id()));
  BOOST_TEST(db.engine->readers.figures().here == 1U);
}

BOOST_AUTO_TEST_CASE(a_long_read_moves_to_a_reader_and_is_remembered) {
  Fixture db;
  const auto& figures = db.engine->readers.figures();

  const Rows first = read_alone(db, long_read);
  BOOST_TEST(first.rows.size() == 20000U);  // none twice
  BOOST_TEST(first.rows.back()[0] == "20000");
  BOOST_TEST(first.restarts == 1);
  BOOST_TEST(figures.moved == 1U);
  BOOST_TEST(figures.hopped == 1U);

  const Rows second = read_alone(db, long_read);
  BOOST_TEST(second.rows.size() == 20000U);
  BOOST_TEST(second.restarts == 0);
  BOOST_TEST(figures.hopped == 2U);
  const auto slow = db.engine->readers.slow_statements();
  BOOST_REQUIRE_EQUAL(slow.size(), 1U);
  BOOST_TEST(slow[0] == long_read);
}

BOOST_AUTO_TEST_CASE(reads_in_place_can_be_turned_off) {
  Fixture db({{"inline_opcodes", "0"}});
  BOOST_TEST(db.query("SELECT 1").first() == "1");
  BOOST_TEST(db.engine->readers.figures().hopped == 1U);
}

BOOST_AUTO_TEST_CASE(an_error_on_a_reader_reaches_the_coroutine) {
  Fixture db({{"inline_opcodes", "0"}});
  BOOST_TEST(contains(error_of([&] { db.query("SELECT * FROM absent"); }).second, "no such table"));
}

BOOST_AUTO_TEST_CASE(every_read_sees_what_was_committed_before_it) {
  Fixture db;
  db.execute("CREATE TABLE t (v INTEGER)");
  for (int i = 1; i <= 50; ++i) {
    db.execute("INSERT INTO t VALUES (1)");
    BOOST_TEST(db.query("SELECT count(*) FROM t").first() == std::to_string(i));
  }
}

BOOST_AUTO_TEST_CASE(many_threads_read_at_once) {
  Fixture db;
  db.execute("CREATE TABLE t (v INTEGER)");
  db.execute("INSERT INTO t VALUES (42)");
  std::vector<std::future<int>> threads;
  for (int i = 0; i < 8; ++i) {
    threads.push_back(std::async(std::launch::async, [&] {
      int right = 0;
      for (int k = 0; k < 200; ++k) right += db.query("SELECT v FROM t").first() == "42" ? 1 : 0;
      return right;
    }));
  }
  for (auto& thread : threads) BOOST_TEST(thread.get() == 200);
}

BOOST_AUTO_TEST_CASE(closing_interrupts_readers_and_leaves_one_file) {
  Fixture db;
  db.execute("CREATE TABLE t (v INTEGER)");
  const auto link = db.open();
  std::pair<Errc, std::string> told;
  std::thread reading([&] {
    told = error_of([&] {
      wait(read(*link,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                "SELECT count(*) FROM n"));
    });
  });
  while (db.engine->readers.figures().moved == 0) std::this_thread::yield();
  auto close = [&]() -> awaitable<void> {
    db.engine->close();
    co_return;
  };
  wait(run_on(db.writer(), close()));
  reading.join();
  BOOST_TEST((told.first == Errc::unavailable));
  BOOST_TEST(contains(told.second, "closed"));
  BOOST_TEST(contains(error_of([&] { db.query("SELECT 1"); }).second, "closed"));
  BOOST_TEST(contains(error_of([&] { db.execute("DELETE FROM t"); }).second, "closed"));
  BOOST_TEST(std::filesystem::exists(db.file));
  BOOST_TEST(!std::filesystem::exists(db.file.string() + "-wal"));
}

BOOST_AUTO_TEST_CASE(a_link_that_outlives_the_driver_only_fails) {
  Fixture db;
  db.execute("CREATE TABLE t (v INTEGER)");
  const auto reader = db.open();
  const auto writer = db.open();
  wait(write(*writer, "INSERT INTO t VALUES (1)"));
  db.engine->stop();
  BOOST_TEST(contains(error_of([&] { wait(read(*reader, "SELECT 1")); }).second, "closed"));
  BOOST_TEST(contains(error_of([&] { wait(writer->commit()); }).second, "closed"));
}
