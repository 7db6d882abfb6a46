// The write turn: groups, neighbours, order, deadline, sessions that are left behind.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <numeric>

#include "aegis/core/log.h"
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

constexpr std::string_view endless_insert =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "INSERT INTO t (v) SELECT count(*) FROM n";

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
awaitable<void> together(awaitable<void> first, awaitable<void> second) {
  std::vector<awaitable<void>> works;
  works.push_back(std::move(first));
  works.push_back(std::move(second));
  co_await together(std::move(works));
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
  BOOST_TEST(figures.groups - groups < 50U);  // a slow machine closes a group early
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

BOOST_AUTO_TEST_CASE(own_writes_are_visible_to_the_session_alone) {
  Numbers db;
  auto body = [&](Link& link) -> awaitable<void> {
    co_await write(link, insert, {std::int64_t{1}});
    BOOST_TEST((co_await read(link, "SELECT count(*) FROM t")).first() == "1");
    const auto other = db.open();  // on the same thread, and still no dirty read
    BOOST_TEST((co_await read(*other, "SELECT count(*) FROM t")).first() == "0");
  };
  wait(db.session(body));
  BOOST_TEST(db.all() == "1");
}

BOOST_AUTO_TEST_CASE(a_session_on_another_executor_works_statement_by_statement) {
  Numbers db;
  const auto link = db.open();
  auto work = [&]() -> awaitable<void> {
    co_await link->begin();
    co_await write(*link, insert, {std::int64_t{1}});
    BOOST_TEST((co_await read(*link, "SELECT count(*) FROM t")).first() == "1");
    co_await link->commit();
    co_await write(*link, insert, {std::int64_t{2}});
    co_await link->rollback();
  };
  wait(work());
  BOOST_TEST(db.all() == "1");
}

BOOST_AUTO_TEST_CASE(commit_without_a_write_does_nothing) {
  Numbers db;
  const auto& groups = db.engine->writer.figures().groups;
  const auto before = groups.load();
  auto body = [&](Link& link) -> awaitable<void> { co_await read(link, "SELECT 1"); };
  wait(db.session(body));
  BOOST_TEST(groups == before);
}

BOOST_AUTO_TEST_CASE(turns_are_given_in_the_order_of_asking) {
  Numbers db;
  std::vector<int> order;
  auto one = [&](int i) -> awaitable<void> {
    auto body = [&](Link& link) -> awaitable<void> {
      co_await write(link, insert, {std::int64_t{i}});
      order.push_back(i);
      for (int k = 0; k < 3; ++k) co_await asio::post(asio::use_awaitable);  // holding the turn
    };
    co_await db.session_here(body);
  };
  auto all = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> works;
    for (int i = 0; i < 20; ++i) works.push_back(one(i));
    co_await together(std::move(works));
  };
  wait(run_on(db.writer(), all()));
  std::vector<int> expected(20);
  std::iota(expected.begin(), expected.end(), 0);
  BOOST_TEST(order == expected, boost::test_tools::per_element());
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "20");
}

BOOST_AUTO_TEST_CASE(who_holds_the_turn_for_too_long_is_rolled_back) {
  Numbers db({{"write_turn_timeout", "50"}});
  const auto late = db.open({.origin = "POST /late"});
  wait(write(*late, insert, {std::int64_t{1}}));  // and then nothing
  db.execute(insert, {std::int64_t{2}});          // waits for its turn, and gets it

  const auto [code, text] = error_of([&] { wait(write(*late, insert, {std::int64_t{3}})); });
  BOOST_TEST((code == Errc::timeout));
  BOOST_TEST(contains(text, "POST /late"));
  BOOST_TEST(contains(text, "more than 50 ms"));
  BOOST_TEST((error_of([&] { wait(late->commit()); }).first == Errc::timeout));
  BOOST_TEST(db.all() == "2");

  wait(late->rollback());
  wait(write(*late, insert, {std::int64_t{4}}));
  wait(late->commit());
  BOOST_TEST(db.all() == "2 4");
}

BOOST_AUTO_TEST_CASE(a_statement_that_takes_too_long_is_ended) {
  Numbers db({{"write_turn_timeout", "50"}});
  const auto late = db.open({.origin = "POST /late"});
  const auto [code, text] = error_of([&] { wait(write(*late, endless_insert)); });
  BOOST_TEST((code == Errc::timeout));
  BOOST_TEST(contains(text, "POST /late"));
  BOOST_TEST(contains(text, "more than 50 ms"));
  BOOST_TEST((error_of([&] { wait(late->commit()); }).first == Errc::timeout));
  BOOST_TEST(db.engine->writer.figures().expired == 1U);
  db.execute(insert, {std::int64_t{2}});
  BOOST_TEST(db.all() == "2");
}

BOOST_AUTO_TEST_CASE(what_shares_a_group_with_a_statement_that_is_ended_is_told) {
  Numbers db({{"write_turn_timeout", "50"}});
  std::string told;
  auto first = [&]() -> awaitable<void> {
    auto body = [&](Link& link) -> awaitable<void> {
      co_await write(link, insert, {std::int64_t{1}});
    };
    try {
      co_await db.session_here(body);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == Errc::unavailable));
      told = error.what();
    }
  };
  const auto late = db.open();
  auto second = [&]() -> awaitable<void> {
    try {
      co_await write(*late, endless_insert);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == Errc::timeout));
    }
  };
  wait(run_on(db.writer(), together(first(), second())));
  BOOST_TEST(contains(told, "try again"));
  BOOST_TEST(db.all() == "NULL");
}

BOOST_AUTO_TEST_CASE(what_shares_a_group_with_a_late_session_is_still_kept) {
  Numbers db({{"write_turn_timeout", "50"}});
  const auto late = db.open();
  auto first = [&]() -> awaitable<void> {
    auto body = [&](Link& link) -> awaitable<void> {
      co_await write(link, insert, {std::int64_t{1}});
    };
    co_await db.session_here(body);
  };
  auto second = [&]() -> awaitable<void> { co_await write(*late, insert, {std::int64_t{2}}); };
  auto both = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> works;
    works.push_back(first());
    works.push_back(second());
    co_await together(std::move(works));
  };
  wait(run_on(db.writer(), both()));  // first() returns when the late one has been thrown out
  BOOST_TEST(db.all() == "1");
  BOOST_TEST(db.engine->writer.figures().expired == 1U);
}

BOOST_AUTO_TEST_CASE(sessions_that_are_left_behind_are_rolled_back) {
  Numbers db;
  auto leave = [&]() -> awaitable<void> {
    const auto link = db.open();
    co_await write(*link, insert, {std::int64_t{1}});
  };
  wait(run_on(db.writer(), leave()));  // destroyed on the writer
  wait(leave());                       // destroyed elsewhere
  auto thrown = [&](Link& link) -> awaitable<void> {
    co_await write(link, insert, {std::int64_t{2}});
    throw std::runtime_error("no more");
  };
  BOOST_CHECK_THROW(wait(db.session(thrown)), std::runtime_error);
  db.execute(insert, {std::int64_t{3}});
  BOOST_TEST(db.all() == "3");
}

BOOST_AUTO_TEST_CASE(a_long_transaction_is_logged_with_its_place) {
  const log::Capture capture;
  Numbers db({}, {.slow_transaction = 20ms});
  const std::source_location here = std::source_location::current();
  const auto link = db.open({.where = here});
  auto slow = [&]() -> awaitable<void> {
    co_await write(*link, insert, {std::int64_t{1}});
    asio::steady_timer pause(co_await asio::this_coro::executor, 30ms);
    co_await pause.async_wait(asio::use_awaitable);
    co_await link->commit();
  };
  wait(slow());
  BOOST_TEST(capture.contains("slow transaction"));
  BOOST_TEST(capture.contains("turns_test.cpp:" + std::to_string(here.line())));
}

BOOST_AUTO_TEST_CASE(a_session_that_was_left_behind_is_still_logged_by_its_name) {
  const log::Capture capture;
  Numbers db({}, {.slow_transaction = 0ms});
  {
    const std::string origin = "POST /a/name/that/ends/with/the/session";
    const auto link = db.open({.origin = origin});
    wait(write(*link, insert, {std::int64_t{1}}));
  }
  db.execute(insert, {std::int64_t{2}});
  BOOST_TEST(capture.contains("POST /a/name/that/ends/with/the/session"));
}

BOOST_AUTO_TEST_CASE(references_left_dangling_fail_their_own_session_only) {
  Numbers db;
  db.execute("CREATE TABLE child (t INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)");
  std::vector<std::string> ends(3);
  auto one = [&](std::size_t i) -> awaitable<void> {
    auto body = [&](Link& link) -> awaitable<void> {
      co_await write(link, insert, {static_cast<std::int64_t>(i)});
      if (i == 1) co_await write(link, "INSERT INTO child VALUES (99)");
    };
    try {
      co_await db.session_here(body);
      ends[i] = "committed";
    } catch (const Error& error) {
      ends[i] = to_string(error.code());
    }
  };
  auto all = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> works;
    for (std::size_t i = 0; i < 3; ++i) works.push_back(one(i));
    co_await together(std::move(works));
  };
  wait(run_on(db.writer(), all()));
  BOOST_TEST(ends[0] == "committed");
  BOOST_TEST(ends[1] == "conflict");
  BOOST_TEST(ends[2] == "committed");
  BOOST_TEST(db.all() == "0 2");
}

BOOST_AUTO_TEST_CASE(an_error_that_ends_the_whole_transaction_is_told_to_all_of_its_group) {
  Numbers db;
  db.execute(insert, {std::int64_t{7}});
  std::vector<std::string> ends(2);
  auto first = [&]() -> awaitable<void> {
    auto body = [&](Link& link) -> awaitable<void> {
      co_await write(link, insert, {std::int64_t{1}});
    };
    try {
      co_await db.session_here(body);
      ends[0] = "committed";
    } catch (const Error& error) {
      ends[0] = error.what();
    }
  };
  auto second = [&]() -> awaitable<void> {
    auto body = [&](Link& link) -> awaitable<void> {
      co_await write(link, "INSERT OR ROLLBACK INTO t (v) VALUES (7)");
    };
    try {
      co_await db.session_here(body);
    } catch (const Error& error) {
      ends[1] = error.what();
    }
  };
  wait(run_on(db.writer(), together(first(), second())));
  BOOST_TEST(contains(ends[0], "rolled back together with others"));
  BOOST_TEST(contains(ends[1], "already taken"));
  BOOST_TEST(db.all() == "7");
  db.execute(insert, {std::int64_t{8}});
  BOOST_TEST(db.all() == "7 8");
}

BOOST_AUTO_TEST_CASE(a_group_has_a_limit) {
  Numbers db;
  const auto& figures = db.engine->writer.figures();
  const auto before = figures.groups.load();
  auto one = [&](std::int64_t v) -> awaitable<void> {
    auto body = [&](Link& link) -> awaitable<void> { co_await write(link, insert, {v}); };
    co_await db.session_here(body);
  };
  auto all = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> works;
    for (std::int64_t i = 0; i < 600; ++i) works.push_back(one(i));
    co_await together(std::move(works));
  };
  wait(run_on(db.writer(), all()));
  BOOST_TEST(figures.groups - before >= 3U);
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "600");
}
