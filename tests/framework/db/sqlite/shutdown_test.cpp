// Shutdown while the database's threads are in the midst of something.
#include <array>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <latch>
#include <thread>

#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view endless_insert =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "INSERT INTO t (v) SELECT count(*) FROM n";
constexpr std::string_view endless_select =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// Its memory is the session's coroutine's own, and is written to until the statement ends.
struct Sink final : RowSink {
  void columns(std::span<const std::string_view>) override {}
  void row(std::span<const Cell>) override { ++rows; }
  void restart() override {}
  int rows = 0;
};

struct House {
  explicit House(const std::string& url)
      : runtime({.threads = 2, .shutdown_timeout = 100ms, .handle_signals = false}),
        database(runtime, {.url = url}) {
    runtime.on_stop("database", [this] { return database.close(); });
  }

  awaitable<void> session(std::string sql, bool writes, std::string& end) {
    auto body = [&](Session& session) -> awaitable<void> {
      Sink sink;
      if (writes) co_await session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
      running.count_down();
      co_await session.run({sql, {}, writes}, sink);
    };
    try {
      co_await database.run_session({.in_place = !writes}, body);
    } catch (const Error& error) {
      end = error.what();
    }
  }

  awaitable<void> shut_down_when_all_run() {
    boost::asio::steady_timer timer(runtime.executor(0));
    while (!running.try_wait()) {
      timer.expires_after(1ms);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    runtime.shutdown();
  }

  void run() {
    runtime.spawn(0, session(std::string(endless_insert), true, ends[0]));
    runtime.spawn(1, session(std::string(endless_select), false, ends[1]));
    runtime.spawn(0, shut_down_when_all_run());
    runtime.run();
  }

  std::latch running{2};
  std::array<std::string, 2> ends{};  ///< what the sessions were told
  Runtime runtime;
  Database database;
};

}  // namespace

// That they return at all is what is tested: the statements have no end of their own.

BOOST_AUTO_TEST_CASE(a_shutdown_ends_the_statements_that_run) {
  const Folder folder;
  House house(url_of(folder.path() / "a.db"));
  house.run();
  for (const auto& end : house.ends) {  // empty: destroyed before it could be told
    BOOST_TEST((end.empty() || end == "the database is closed"), end);
  }
}

BOOST_AUTO_TEST_CASE(in_memory_too) {
  House house("sqlite://:memory:");
  house.run();
}

// The writer's thread is busy for longer than the limit: what it uses must stay until it is done.
BOOST_AUTO_TEST_CASE(no_coroutine_is_destroyed_that_the_writer_still_runs) {
  const Folder folder;
  Runtime runtime({.threads = 1, .shutdown_timeout = 20ms, .handle_signals = false});
  Database database(runtime, {.url = url_of(folder.path() / "a.db")});
  runtime.on_stop("database", [&] { return database.close(); });
  std::atomic<bool> done = false;
  {
    auto body = [&](Session&) -> awaitable<void> {
      runtime.shutdown();
      while (!runtime.draining()) std::this_thread::yield();
      std::this_thread::sleep_for(200ms);  // well past all limits
      done = true;
      co_return;
    };
    auto session = [&]() -> awaitable<void> { co_await database.session(body); };
    runtime.spawn(0, session());
    runtime.run();
    BOOST_TEST(done);
  }
}

BOOST_AUTO_TEST_CASE(a_session_that_waits_for_something_else_is_destroyed) {
  const Folder folder;
  Runtime runtime({.threads = 1, .shutdown_timeout = 20ms, .handle_signals = false});
  Database database(runtime, {.url = url_of(folder.path() / "a.db")});
  struct Witness {
    explicit Witness(bool& flag) : destroyed(flag) {}
    ~Witness() { destroyed = true; }
    bool& destroyed;
  };
  bool destroyed = false;
  auto sleep = [](asio::any_io_executor executor) -> awaitable<void> {
    asio::steady_timer never(executor, asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
  };
  auto body = [&](Session& session) -> awaitable<void> {
    const Witness witness(destroyed);
    co_await session.execute("CREATE TABLE t (v INTEGER)");
    runtime.stop();
    co_await run_on(runtime.executor(0), sleep(runtime.executor(0)));
  };
  auto work = [&]() -> awaitable<void> { co_await database.session(body); };
  runtime.spawn(0, work());
  runtime.run();
  BOOST_TEST(destroyed);
}

BOOST_AUTO_TEST_CASE(closing_and_stopping_on_several_threads_at_once) {
  for (int i = 0; i < 20; ++i) {
    Fixture db;
    db.execute("CREATE TABLE t (v INTEGER)");
    auto work = [&]() -> awaitable<void> {
      const auto nothing = [](sqlite::Connection&) {};
      co_await db.engine->readers.on_reader(nothing);
    };
    wait(work());
    std::vector<std::thread> threads;
    for (int k = 0; k < 3; ++k) threads.emplace_back([&] { db.engine->stop(); });
    for (auto& thread : threads) thread.join();
    BOOST_TEST(contains(error_of([&] { db.query("SELECT 1"); }).second, "closed"));
  }
}

BOOST_AUTO_TEST_CASE(a_transaction_that_is_left_behind_while_closing) {
  for (int i = 0; i < 20; ++i) {
    Fixture db;
    db.execute("CREATE TABLE t (v INTEGER)");
    auto link = db.open();
    wait(write(*link, "INSERT INTO t VALUES (1)"));
    std::thread stops([&] { db.engine->stop(); });
    link.reset();
    stops.join();
  }
}
