// COPY with data of the application's own.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "../../core/run.h"
#include "fixture.h"

using namespace aegis;
using namespace aegis::db::postgres::test;

namespace {

awaitable<void> copy_in(Database& db, std::string sql,
                        FunctionRef<awaitable<bool>(std::string&)> next) {
  co_await db.session([&](Session& s) -> awaitable<void> { co_await s.copy_in(sql, next); });
}

awaitable<void> copy_out(Database& db, std::string sql) {
  const auto take = [](std::string_view) -> awaitable<void> { co_return; };
  co_await db.read([&](Session& s) -> awaitable<void> { co_await s.copy_out(sql, take); });
}

const auto nothing = [](std::string&) -> awaitable<bool> { co_return false; };

}  // namespace

BOOST_AUTO_TEST_CASE(data_is_copied_in_and_out) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE pair (a int, b text)");
  const auto work = [](Database& db) -> awaitable<void> {
    co_await db.session([](Session& s) -> awaitable<void> {
      int sent = 0;
      const auto next = [&](std::string& part) -> awaitable<bool> {
        part = std::to_string(sent) + "\tline " + std::to_string(sent) + "\n";
        co_return sent++ < 100'000;
      };
      co_await s.copy_in("COPY pair FROM STDIN", next);
      co_await s.execute("DELETE FROM pair WHERE a >= 50000");
    });
    std::string all;
    int parts = 0;
    const auto take = [&](std::string_view lines) -> awaitable<void> {
      BOOST_TEST(lines.ends_with('\n'));
      all += lines;
      ++parts;
      co_return;
    };
    const auto failing = [](std::string_view) -> awaitable<void> {
      throw std::runtime_error("no room");
      co_return;
    };
    co_await db.read([&](Session& s) -> awaitable<void> {
      co_await s.copy_out("COPY (SELECT a FROM pair ORDER BY a) TO STDOUT", take);
      BOOST_TEST((co_await s.query<int>("SELECT 1")).at(0) == 1);
    });
    BOOST_TEST(std::ranges::count(all, '\n') == 50'000);
    BOOST_TEST(all.ends_with("\n49999\n"));
    BOOST_TEST(parts > 1);

    const auto fail = [&](Database& in) -> awaitable<void> {
      co_await in.read([&](Session& s) -> awaitable<void> {
        co_await s.copy_out("COPY pair TO STDOUT", failing);
      });
    };
    BOOST_CHECK_THROW(co_await fail(db), std::runtime_error);
    const auto wrong = [](Database& in, std::string sql) -> awaitable<void> {
      co_await in.session([&](Session& s) -> awaitable<void> { co_await s.copy_in(sql, nothing); });
    };
    BOOST_TEST(contains((co_await error_of(wrong(db, "COPY nobody FROM STDIN"))).second, "nobody"));
    BOOST_TEST(contains((co_await error_of(wrong(db, "DELETE FROM pair"))).second,
                        "not one statement COPY"));
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT count(*) FROM pair") == 50'000);
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_large_part_is_copied_whole) {
  Fixture f;
  f.execute("CREATE TABLE t (a text)");
  bool sent = false;
  const auto next = [&](std::string& part) -> awaitable<bool> {
    if (std::exchange(sent, true)) co_return false;
    for (int i = 0; i < 40; ++i) part += std::string(100'000, 'x') + "\n";
    co_return true;
  };
  f.wait(copy_in(*f.database, "COPY t FROM STDIN", next));
  BOOST_TEST(f.execute("SELECT count(*) || ' ' || sum(length(a)) FROM t") == "40 4000000");
}

BOOST_AUTO_TEST_CASE(a_copy_in_the_wrong_direction_is_refused) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE t (a text)");
  const auto work = [](Database& db) -> awaitable<void> {
    auto [code, text] =
        co_await error_of(copy_in(db, "COPY (SELECT 'FROM STDIN') TO STDOUT", nothing));
    BOOST_TEST((code == Errc::invalid));
    BOOST_TEST(contains(text, "other direction"));
    const auto take = [](std::string_view) -> awaitable<void> { co_return; };
    const auto out = [&](Database& from) -> awaitable<void> {
      co_await from.session([&](Session& s) -> awaitable<void> {
        co_await s.copy_out("COPY t FROM STDIN WHERE a <> 'TO STDOUT'", take);
      });
    };
    std::tie(code, text) = co_await error_of(out(db));
    BOOST_TEST((code == Errc::invalid));
    BOOST_TEST(contains(text, "other direction"));
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT count(*) FROM t") == 0);
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(reading_sessions_copy_out_where_there_is_a_replica_too) {
  Fixture f;
  f.wait(f.database->close());
  f.database =
      std::make_unique<Database>(f.runtime, DatabaseOptions{.url = f.url, .read_url = f.url});
  f.wait(copy_out(*f.database, "COPY (SELECT 1) TO STDOUT"));
}

BOOST_AUTO_TEST_CASE(what_a_callback_throws_does_not_cost_the_connection) {
  Fixture f;
  f.execute("CREATE TABLE t (a int)");
  f.wait(f.database->close());
  f.database =
      std::make_unique<Database>(f.runtime, DatabaseOptions{.url = f.url, .rolled_back = true});
  const auto work = [](Database& db) -> awaitable<void> {
    co_await execute(db, "INSERT INTO t VALUES (1)");
    const auto fails = [](std::string&) -> awaitable<bool> {
      throw boost::system::system_error(asio::error::eof);
      co_return false;
    };
    BOOST_CHECK_THROW(co_await copy_in(db, "COPY t FROM STDIN", fails),
                      boost::system::system_error);
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT count(*) FROM t") == 1);
    const auto full = [](std::string_view) -> awaitable<void> {
      throw std::runtime_error("no room");
      co_return;
    };
    const auto out = [&](Database& from) -> awaitable<void> {
      co_await from.read([&](Session& s) -> awaitable<void> {
        co_await s.copy_out("COPY (SELECT generate_series(1, 100000)) TO STDOUT", full);
      });
    };
    BOOST_CHECK_THROW(co_await out(db), std::runtime_error);
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT count(*) FROM t") == 1);
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_cancelled_copy_ends_on_the_server_too) {
  Fixture f({{"pool_size", "1"}});
  asio::cancellation_signal signal;
  std::exception_ptr error;
  bool ended = false;
  asio::co_spawn(f.io, copy_out(*f.database, "COPY (SELECT pg_sleep(60)) TO STDOUT"),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& e) {
                   error = e;
                   ended = true;
                 }));
  const auto run_until = [&](auto reached) {
    while (!reached()) {
      f.io.restart();
      f.io.run_for(1ms);
    }
  };
  const auto running = [&] {
    return f.server.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT pg_sleep(60)%' "
        "AND state = 'active'");
  };
  run_until([&] { return running() == "1"; });
  signal.emit(asio::cancellation_type::terminal);
  run_until([&] { return ended && running() == "0"; });
  BOOST_TEST(was_cancelled(error));
  BOOST_TEST(f.wait(one<int>(*f.database, "SELECT 1")) == 1);
}
