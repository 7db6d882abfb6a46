// A cancelled coroutine leaves nothing behind, wherever it was.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "../../core/run.h"
#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view insert = "INSERT INTO t (v) VALUES ($1)";
constexpr std::string_view endless =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
constexpr std::string_view endless_insert =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "INSERT INTO t (v) SELECT count(*) FROM n";

struct Numbers : Fixture {
  explicit Numbers(Settings settings = {}) : Fixture(std::move(settings)) {
    execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
  }
  std::string count() { return query("SELECT count(*) FROM t").first(); }
};

/// A coroutine that can be cancelled, on an executor of this thread.
struct Task {
  explicit Task(awaitable<void> work) {
    asio::co_spawn(io, std::move(work), asio::bind_cancellation_slot(signal.slot(), [&](auto e) {
                     error = e;
                     ended = true;
                   }));
  }
  /// Runs until `reached`, then cancels and runs to the end.
  template <class F>
  void cancel_when(F reached) {
    while (!reached() && !ended) {
      io.restart();
      io.run_for(1ms);
    }
    signal.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run();
  }
  bool aborted() const { return was_cancelled(error); }

  asio::io_context io{1};
  asio::cancellation_signal signal;
  std::exception_ptr error;
  bool ended = false;
};

}  // namespace

BOOST_AUTO_TEST_CASE(while_waiting_for_the_turn) {
  Numbers db;
  const auto holder = db.open();
  wait(write(*holder, insert, {std::int64_t{1}}));

  const auto link = db.open();
  auto work = [&]() -> awaitable<void> { co_await write(*link, insert, {std::int64_t{2}}); };
  Task task(work());
  const auto& waiting = db.engine->writer.figures().waiting;
  task.cancel_when([&] { return waiting == 1; });
  BOOST_TEST(task.aborted());
  BOOST_TEST(waiting == 0U);

  wait(holder->commit());
  BOOST_TEST(db.count() == "1");
  db.execute(insert, {std::int64_t{3}});
  BOOST_TEST(db.count() == "2");
}

BOOST_AUTO_TEST_CASE(while_waiting_for_the_turn_in_a_session_on_the_writer) {
  Numbers db;
  const auto holder = db.open();
  wait(write(*holder, insert, {std::int64_t{1}}));
  auto body = [&](Link& link) -> awaitable<void> {
    co_await write(link, insert, {std::int64_t{2}});
  };
  Task task(db.session(body));
  const auto& waiting = db.engine->writer.figures().waiting;
  task.cancel_when([&] { return waiting == 1; });
  BOOST_TEST(task.aborted());
  wait(holder->commit());
  BOOST_TEST(db.count() == "1");
}

BOOST_AUTO_TEST_CASE(while_holding_the_turn) {
  Numbers db;
  std::atomic<bool> holds = false;
  auto body = [&](Link& link) -> awaitable<void> {
    co_await write(link, insert, {std::int64_t{1}});
    holds = true;
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
  };
  Task task(db.session(body));
  task.cancel_when([&] { return holds.load(); });
  BOOST_TEST(task.aborted());
  db.execute(insert, {std::int64_t{2}});
  BOOST_TEST(db.count() == "1");
}

BOOST_AUTO_TEST_CASE(while_waiting_for_the_commit_it_is_kept) {
  Numbers db;
  const auto holder = db.open();
  std::atomic<bool> promised = false;
  auto first = [&](Link& link) -> awaitable<void> {
    co_await write(link, insert, {std::int64_t{1}});
    // Gets the turn within the same group, and delays the commit that first waits for.
    asio::co_spawn(db.writer(), write(*holder, insert, {std::int64_t{2}}),
                   [&](std::exception_ptr, const Outcome&) { promised = true; });
    co_await asio::post(asio::use_awaitable);
  };
  Task task(db.session(first));
  while (!promised) {
    task.io.restart();
    task.io.run_for(1ms);
  }
  task.signal.emit(asio::cancellation_type::terminal);
  wait(holder->rollback());
  task.io.restart();
  task.io.run();
  BOOST_TEST(task.ended);
  BOOST_TEST(db.count() == "1");  // whatever first was told
}

BOOST_AUTO_TEST_CASE(while_a_read_runs_it_is_interrupted) {
  Numbers db;
  const auto link = db.open();
  auto work = [&]() -> awaitable<void> { co_await read(*link, endless); };
  Task task(work());
  const auto& moved = db.engine->readers.figures().moved;
  task.cancel_when([&] { return moved == 1; });
  BOOST_TEST(task.aborted());
  BOOST_TEST(db.count() == "0");
}

BOOST_AUTO_TEST_CASE(while_a_write_runs_it_is_interrupted) {
  Numbers db;
  std::atomic<bool> runs = false;
  auto body = [&](Link& link) -> awaitable<void> {
    co_await write(link, insert, {std::int64_t{1}});
    runs = true;
    co_await write(link, endless_insert);
  };
  Task task(db.session(body));
  task.cancel_when([&] { return runs.load(); });
  BOOST_TEST(task.aborted());
  db.execute(insert, {std::int64_t{2}});
  BOOST_TEST(db.count() == "1");
}

BOOST_AUTO_TEST_CASE(while_a_write_runs_from_another_executor) {
  Numbers db;
  const auto link = db.open();
  std::atomic<bool> runs = false;
  auto work = [&]() -> awaitable<void> {
    co_await write(*link, insert, {std::int64_t{1}});
    runs = true;
    co_await write(*link, endless_insert);
  };
  Task task(work());
  task.cancel_when([&] { return runs.load(); });
  BOOST_TEST(task.aborted());
  db.execute(insert, {std::int64_t{2}});
  BOOST_TEST(db.count() == "1");
}

BOOST_AUTO_TEST_CASE(while_a_read_runs_on_the_only_connection) {
  Fixture db;
  db.engine->stop();
  db.engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = "sqlite://:memory:"}));
  const auto link = db.open();
  std::atomic<bool> runs = false;
  auto work = [&]() -> awaitable<void> {
    co_await read(*link, "SELECT 1");
    runs = true;
    co_await read(*link, endless);
  };
  Task task(work());
  task.cancel_when([&] { return runs.load(); });
  BOOST_TEST(task.aborted());
  BOOST_TEST(db.query("SELECT 1").first() == "1");
}

BOOST_AUTO_TEST_CASE(while_a_read_waits_for_a_reader) {
  Numbers db({{"readers", "1"}});
  const auto first = db.open();
  const auto second = db.open();
  auto busy = [&]() -> awaitable<void> { co_await read(*first, endless); };
  auto queued = [&]() -> awaitable<void> { co_await read(*second, endless); };
  Task running(busy());
  const auto& figures = db.engine->readers.figures();
  while (figures.moved == 0) {
    running.io.restart();
    running.io.run_for(1ms);
  }
  Task waits(queued());
  // Cancelled, it still waits for the one before it: what it refers to must stay.
  std::thread other([&] {
    while (figures.waiting == 0) std::this_thread::yield();
    asio::post(waits.io, [&] { waits.signal.emit(asio::cancellation_type::terminal); });
    asio::post(running.io, [&] { running.signal.emit(asio::cancellation_type::terminal); });
  });
  std::thread runs([&] {
    running.io.restart();
    const auto work = asio::make_work_guard(running.io);
    while (!running.ended) running.io.run_one();
  });
  waits.io.run();
  other.join();
  runs.join();
  BOOST_TEST(waits.aborted());
  BOOST_TEST(running.aborted());
}

BOOST_AUTO_TEST_CASE(at_any_moment) {
  Numbers db;
  int committed = 0;
  for (int i = 0; i < 300; ++i) {
    bool done = false;
    auto body = [&](Link& link) -> awaitable<void> {
      co_await write(link, insert, {std::int64_t{i}});
      co_await read(link, "SELECT count(*) FROM t");
    };
    auto work = [&]() -> awaitable<void> {
      co_await db.session(body);
      done = true;
    };
    Task task(work());
    const auto moment = std::chrono::steady_clock::now() + std::chrono::microseconds(i);
    task.cancel_when([&] {
      task.io.poll();
      return std::chrono::steady_clock::now() >= moment;
    });
    BOOST_TEST(task.ended);
    committed += done ? 1 : 0;
  }
  // A session that was told of its commit is there; some others may be as well.
  BOOST_TEST(std::stoi(db.count()) >= committed);
  db.execute(insert, {std::int64_t{0}});
}

BOOST_AUTO_TEST_CASE(statement_by_statement_from_elsewhere_at_any_moment) {
  Numbers db;
  for (int i = 0; i < 300; ++i) {
    const auto link = db.open();
    auto work = [&]() -> awaitable<void> {
      co_await write(*link, insert, {std::int64_t{i}});
      co_await write(*link, insert, {std::int64_t{i}});
      co_await link->commit();
    };
    Task task(work());
    const auto moment = std::chrono::steady_clock::now() + std::chrono::microseconds(i);
    task.cancel_when([&] {
      task.io.poll();
      return std::chrono::steady_clock::now() >= moment;
    });
    BOOST_TEST(task.ended);
  }
  BOOST_TEST(std::stoi(db.count()) % 2 == 0);
}
