// The write turn: groups, neighbours, order, deadline, sessions that are left behind.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <numeric>

#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;
using namespace std::chrono_literals;

namespace {

struct Numbers : Fixture {
  explicit Numbers(Settings settings = {}, const DatabaseOptions& options = {})
      : Fixture(std::move(settings), options) {
    execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER UNIQUE)");
  }
  std::string all() {
    return query("SELECT group_concat(v, ' ') FROM (SELECT v FROM t ORDER BY id)").first();
  }
};

constexpr std::string_view insert = "INSERT INTO t (v) VALUES ($1)";

// Several coroutines at once on the caller's executor, waited for together.
awaitable<void> together(std::vector<awaitable<void>> works) {
  const auto executor = co_await asio::this_coro::executor;
  std::size_t left = works.size();
  asio::steady_timer done(executor, asio::steady_timer::time_point::max());
  std::exception_ptr error;
  for (auto& work : works) {
    asio::co_spawn(executor, std::move(work), [&](std::exception_ptr e) {
      if (e && !error) error = e;
      if (--left == 0) done.cancel();
    });
  }
  boost::system::error_code ignored;
  if (left) co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (error) std::rethrow_exception(error);
}

}  // namespace

BOOST_AUTO_TEST_CASE(sessions_that_are_ready_together_share_a_commit) {
  Numbers db;
  const auto& figures = db.engine->writer.figures();
  const auto groups = figures.groups.load();
  const auto sessions = figures.sessions.load();
  auto one = [&](std::int64_t v) -> awaitable<void> {
    auto body = [&](Link& link) -> awaitable<void> { co_await write(link, insert, {v}); };
    co_await db.session_here(body);
  };
  auto all = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> works;
    for (std::int64_t i = 0; i < 100; ++i) works.push_back(one(i));
    co_await together(std::move(works));
  };
  wait(run_on(db.writer(), all()));
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "100");
  BOOST_TEST(figures.sessions - sessions == 100U);
  BOOST_TEST(figures.groups - groups <= 2U);
}

BOOST_AUTO_TEST_CASE(a_rollback_leaves_its_neighbours_intact) {
  Numbers db;
  std::vector<std::string> ends;
  auto one = [&](std::int64_t v, bool fails) -> awaitable<void> {
    auto body = [&](Link& link) -> awaitable<void> {
      co_await write(link, insert, {v});
      if (fails) throw Error(Errc::invalid, "changed my mind");
    };
    try {
      co_await db.session_here(body);
      ends.push_back(std::to_string(v));
    } catch (const Error&) {
      ends.push_back("-");
    }
  };
  auto all = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> works;
    for (std::int64_t i = 0; i < 8; ++i) works.push_back(one(i, i % 3 == 0));
    co_await together(std::move(works));
  };
  wait(run_on(db.writer(), all()));
  BOOST_TEST(db.all() == "1 2 4 5 7");
  BOOST_TEST(std::ranges::count(ends, "-") == 3);
}

BOOST_AUTO_TEST_CASE(a_failed_statement_ends_its_session_only) {
  Numbers db;
  db.execute(insert, {std::int64_t{1}});
  auto body = [&](Link& link) -> awaitable<void> {
    co_await write(link, insert, {std::int64_t{2}});
    try {
      co_await write(link, insert, {std::int64_t{1}});
    } catch (const Error& error) {
      BOOST_TEST((error.code() == Errc::conflict));
      BOOST_TEST(error.what() == "t.v: this value is already taken");
    }
  };
  // The session goes on as if nothing had happened: its commit must not succeed.
  const auto [code, text] = error_of([&] { wait(db.session(body)); });
  BOOST_TEST((code == Errc::conflict));
  BOOST_TEST(contains(text, "already taken"));
  BOOST_TEST(db.all() == "1");
}

BOOST_AUTO_TEST_CASE(after_a_rollback_a_session_begins_anew) {
  Numbers db;
  auto body = [&](Link& link) -> awaitable<void> {
    co_await write(link, insert, {std::int64_t{1}});
    co_await link.rollback();
    co_await write(link, insert, {std::int64_t{2}});
  };
  wait(db.session(body));
  BOOST_TEST(db.all() == "2");
}
