// A server that cannot be reached, ends connections or has none left: clear errors in
// bounded time, and afterwards everything works again. What was acknowledged is stored, once.
// (Restarts, a frozen server and a silent network, on two cores: ../faults.)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <set>
#include <thread>

#include "fixture.h"
#include "support/tcp_proxy.h"

using namespace aegis;
using namespace aegis::db::postgres::test;

namespace {

/// Sessions that write and read, and what each of them was told.
struct Ledger {
  explicit Ledger(Fixture& of) : f(of) {
    f.execute("CREATE TABLE ledger (number bigint PRIMARY KEY)");
  }

  void start(int writers, int readers) {
    for (int i = 0; i < writers; ++i) spawn(write());
    for (int i = 0; i < readers; ++i) spawn(read());
  }
  void spawn(awaitable<void> work) {
    ++running;
    asio::co_spawn(f.io, std::move(work), [this](const std::exception_ptr& error) {
      --running;
      if (error) std::rethrow_exception(error);
    });
  }

  awaitable<void> pause() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 5ms);
    co_await timer.async_wait(asio::use_awaitable);
  }

  awaitable<void> write() {
    while (!stopping) {
      const std::int64_t number = next++;
      bool failed = false;
      try {
        co_await f.database->session([&](Session& s) -> awaitable<void> {
          co_await s.execute("INSERT INTO ledger VALUES ($1)", number);
        });
        stored.insert(number);
      } catch (const Error& error) {
        failed = true;
        (error.code() == Errc::unknown_outcome ? unknown : refused).insert(number);
        errors.insert(error.what());
      }
      if (failed) co_await pause();
    }
  }
  awaitable<void> read() {
    while (!stopping) {
      const std::int64_t wanted = ++reads;
      bool failed = false;
      try {
        co_await f.database->read([&](Session& s) -> awaitable<void> {
          const auto found = co_await s.query<std::int64_t>("SELECT $1::bigint", wanted);
          if (found.at(0) != wanted) wrong = true;
        });
        ++answered;
      } catch (const Error& error) {
        failed = true;
        ++unanswered;
        errors.insert(error.what());
      }
      if (failed) co_await pause();
    }
  }

  template <class F>
  void run_until(F reached) {
    f.io.restart();
    while (!reached()) f.io.run_for(5ms);
  }
  /// Runs while `action` does its work on a thread of its own.
  template <class F>
  void run_during(F action) {
    std::atomic<bool> done = false;
    std::thread thread([&] {
      action();
      done = true;
    });
    run_until([&] { return done.load(); });
    thread.join();
  }
  void run_until_more() {
    const auto writes_before = stored.size();
    const auto reads_before = answered;
    run_until([&] { return stored.size() >= writes_before + 50 && answered >= reads_before + 50; });
  }

  /// Ends the load and compares what was told with what is there.
  void check() {
    stopping = true;
    run_until([&] { return running == 0; });
    BOOST_TEST(!wrong);
    auto present = [&]() -> awaitable<std::vector<std::int64_t>> {
      std::vector<std::int64_t> rows;
      auto body = [&](Session& s) -> awaitable<void> {
        rows = co_await s.query<std::int64_t>("SELECT number FROM ledger");
      };
      co_await f.database->run_session({.read_only = true}, body);
      co_return rows;
    };
    const auto rows = f.wait(present());
    const std::set<std::int64_t> there(rows.begin(), rows.end());
    BOOST_TEST(there.size() == rows.size());
    for (const auto number : stored) BOOST_TEST(there.contains(number), "lost: " << number);
    for (const auto number : refused) BOOST_TEST(!there.contains(number), "stored: " << number);
    BOOST_TEST_MESSAGE(stored.size()
                       << " stored, " << refused.size() << " refused, " << unknown.size()
                       << " unknown, " << answered << " read, " << unanswered << " not");
    for (const auto& error : errors) BOOST_TEST_MESSAGE("  " << error);
  }

  Fixture& f;
  std::set<std::int64_t> stored, refused, unknown;
  std::set<std::string> errors;
  std::int64_t next = 0, reads = 0;
  std::size_t answered = 0, unanswered = 0;
  int running = 0;
  bool stopping = false, wrong = false;
};

awaitable<void> read_one(Database& database) {
  co_await one<int>(database, "SELECT 1");
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_cannot_be_connected_to_says_why) {
  PostgresServer& server = PostgresServer::shared();
  Fixture f;
  const std::string port = std::to_string(server.port());
  const auto message = [&](std::string url) {
    f.url = std::move(url);
    f.open({{"pool_timeout", "1000"}});
    const auto [code, text] = f.wait(error_of(read_one(*f.database)));
    BOOST_TEST((code == Errc::unavailable));
    const auto [write_code, write_text] = f.wait(error_of(execute(*f.database, "SELECT 1 INTO t")));
    BOOST_TEST((write_code == Errc::unavailable));
    BOOST_TEST(write_text == text);
    BOOST_TEST(!contains(text, "s3cret"), text);
    return text;
  };
  const auto wrong_password = message("postgresql://aegis:s3cret@127.0.0.1:" + port + "/postgres");
  BOOST_TEST(contains(wrong_password, "check user and password in DATABASE_URL"), wrong_password);
  const auto no_database = message(server.url("nowhere"));
  BOOST_TEST(contains(no_database, "create the database (createdb)"), no_database);
  const auto refused = message("postgresql://aegis:s3cret@127.0.0.1:1/postgres");
  BOOST_TEST(contains(refused, "check that the server runs"), refused);
  const auto no_host = message("postgresql://aegis:s3cret@nowhere.invalid/postgres");
  BOOST_TEST(contains(no_host, "check the host in DATABASE_URL"), no_host);
}

BOOST_AUTO_TEST_CASE(connections_that_are_terminated_one_by_one_and_all_at_once) {
  Fixture f;
  Ledger ledger(f);
  ledger.start(20, 20);
  ledger.run_until_more();
  for (int i = 0; i < 20; ++i) {
    ledger.run_during([&] {
      f.server.execute(
          "SELECT pg_terminate_backend((SELECT pid FROM pg_stat_activity WHERE "
          "datname = '" +
          f.name + "' ORDER BY random() LIMIT 1))");
    });
  }
  ledger.run_until_more();
  BOOST_TEST(ledger.unanswered == 0U);  // a read is asked once more
  for (int i = 0; i < 3; ++i) {
    ledger.run_during([&] {
      f.server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
                       f.name + "'");
    });
    ledger.run_until_more();
  }
  ledger.check();
}

BOOST_AUTO_TEST_CASE(a_server_without_a_connection_free) {
  PostgresServer server({"max_connections = 8", "superuser_reserved_connections = 3"});
  Fixture late({{"pool_timeout", "2000"}}, server);  // longer than the connector's own pauses
  Fixture f({{"pool_timeout", "2000"}}, server);
  Ledger ledger(f);
  ledger.start(5, 5);
  ledger.run_until_more();
  std::vector<db::postgres::Handle> others;
  do {
    others.emplace_back(PQconnectdb(server.url().c_str()));
  } while (PQstatus(others.back().get()) == CONNECTION_OK);
  const auto [code, message] = late.wait(error_of(read_one(*late.database)));
  BOOST_TEST((code == Errc::unavailable));
  BOOST_TEST(contains(message, "max_connections"), message);
  ledger.run_until_more();  // the pool cannot have all it wants, but those it has go on
  others.clear();
  late.wait(read_one(*late.database));
  ledger.check();
}

BOOST_AUTO_TEST_CASE(cancels_that_get_no_answer_hold_up_no_connecting) {
  Fixture f;
  TcpProxy proxy(f.server.port());
  f.url = "postgresql://aegis:aegis@127.0.0.1:" + std::to_string(proxy.port()) + "/" + f.name;
  f.open({{"pool_size", "12"}});
  int sleeping = 12;
  const auto sleep = [&](Database& db) -> awaitable<void> {
    co_await db.session(
        [](Session& s) -> awaitable<void> { co_await s.execute("SELECT pg_sleep(60)"); });
  };
  std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
  for (int i = 0; i < sleeping; ++i) {
    signals.push_back(std::make_unique<asio::cancellation_signal>());
    asio::co_spawn(f.io, sleep(*f.database),
                   asio::bind_cancellation_slot(signals.back()->slot(), [&](auto) { --sleeping; }));
  }
  const auto run_until = [&](auto reached) {
    f.io.restart();
    while (!reached()) f.io.run_for(5ms);
  };
  run_until([&] {
    return f.server.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
                            f.name) == "12";
  });
  proxy.fall_silent();
  for (const auto& signal : signals) signal->emit(asio::cancellation_type::terminal);
  run_until([&] { return sleeping == 0; });

  Database healthy(f.runtime, {.url = f.server.url(f.name)});
  f.wait(read_one(healthy));
  f.wait(healthy.close());
  proxy.recover();
}
