// The connection that listens: there when somebody needs it, and there again when it broke.
#include <algorithm>
#include <thread>

#include "aegis/db/listener.h"
#include "db/driver.h"
#include "fixture.h"
#include "support/tcp_proxy.h"

using namespace aegis;
using namespace aegis::db::postgres::test;

namespace {

constexpr const char* listening =
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
    "'%LISTEN%' AND datname = current_database() AND pid <> "
    "pg_backend_pid()";

awaitable<void> send(Database& database, std::string channel, std::string payload) {
  auto body = [&](Session& s) -> awaitable<void> {
    s.notify(channel, payload);
    co_return;
  };
  co_await database.run_session({}, body);
}

awaitable<bool> missed(Listener& listener) {
  co_return (co_await listener.next()).missed;
}
awaitable<std::string> payload(Listener& listener) {
  const auto next = co_await listener.next();
  co_return next.missed ? "missed" : next.payload;
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_connection_serves_all_listeners_and_ends_with_the_last) {
  Fixture f;
  {
    Listener first = f.database->listen({"one"});
    BOOST_TEST(f.execute(listening) == "0");  // nobody waits yet
    BOOST_TEST(f.wait(missed(first)));
    Listener second = f.database->listen({"two", "three"}), third = f.database->listen({"one"});
    BOOST_TEST(f.wait(missed(second)));
    BOOST_TEST(f.wait(missed(third)));
    BOOST_TEST(f.execute(listening) == "1");
    f.execute("NOTIFY three, 'by somebody else'");
    BOOST_TEST(f.wait(payload(second)) == "by somebody else");
    f.wait(send(*f.database, "one", "by us"));
    BOOST_TEST(f.wait(payload(first)) == "by us");
    BOOST_TEST(f.wait(payload(third)) == "by us");
  }
  while (f.execute(listening) != "0") f.io.restart(), f.io.run_for(1ms);

  Listener again = f.database->listen({"two"});
  BOOST_TEST(f.wait(missed(again)));
  f.execute("NOTIFY two, 'again'");
  BOOST_TEST(f.wait(payload(again)) == "again");
}

BOOST_AUTO_TEST_CASE(a_channel_without_listeners_is_left) {
  Fixture f;
  Listener stays = f.database->listen({"stays"});
  std::optional<Listener> goes(f.database->listen({"goes"}));
  BOOST_TEST(f.wait(missed(stays)));
  BOOST_TEST(f.wait(missed(*goes)));
  goes.reset();
  goes.emplace(f.database->listen({"goes"}));  // and heard again
  BOOST_TEST(f.wait(missed(*goes)));
  f.execute("NOTIFY goes, 'still'");
  BOOST_TEST(f.wait(payload(*goes)) == "still");
}

BOOST_AUTO_TEST_CASE(a_terminated_connection_is_replaced_and_listeners_are_told) {
  Fixture f;
  Listener one = f.database->listen({"one"}), two = f.database->listen({"two"});
  BOOST_TEST(f.wait(missed(one)));
  BOOST_TEST(f.wait(missed(two)));
  for (int i = 0; i < 3; ++i) {
    f.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LISTEN%' "
        "AND datname = current_database() AND pid <> pg_backend_pid()");
    BOOST_TEST(f.wait(missed(one)));
    BOOST_TEST(f.wait(missed(two)));
    f.wait(send(*f.database, "two", "after"));
    BOOST_TEST(f.wait(payload(two)) == "after");
  }
}

BOOST_AUTO_TEST_CASE(a_restart_is_survived) {
  PostgresServer server;
  Fixture f({}, server);
  Listener listener = f.database->listen({"one"});
  BOOST_TEST(f.wait(missed(listener)));
  server.stop(PostgresServer::Stop::immediate);
  f.io.restart();
  f.io.run_for(20ms);
  server.start();
  BOOST_TEST(f.wait(missed(listener)));
  f.execute("NOTIFY one, 'after'");
  BOOST_TEST(f.wait(payload(listener)) == "after");
}

BOOST_AUTO_TEST_CASE(a_server_that_is_away_at_first_is_waited_for) {
  PostgresServer server;
  Fixture f({}, server);
  server.stop();
  Listener listener = f.database->listen({"one"});
  auto first = missed(listener);
  bool told = false;
  asio::co_spawn(f.io, std::move(first), [&](const std::exception_ptr&, bool is) { told = is; });
  f.io.restart();
  f.io.run_for(20ms);
  BOOST_TEST(!told);
  server.start();
  while (!told) f.io.run_for(1ms);
  f.execute("NOTIFY one, 'after'");
  BOOST_TEST(f.wait(payload(listener)) == "after");
}

BOOST_AUTO_TEST_CASE(a_silent_network_is_noticed) {
  Fixture f;
  TcpProxy proxy(f.server.port());
  const std::string url =
      "postgresql://aegis:aegis@127.0.0.1:" + std::to_string(proxy.port()) + "/" + f.name;
  Database database(f.runtime, {.url = url});
  Listener listener = database.listen({"one"});
  BOOST_TEST(f.wait(missed(listener)));
  proxy.fall_silent();
  const auto heard = [&] {
    const DatabaseReport report = f.wait(database.inspect());
    const auto fact = std::ranges::find(report.pool, "channels_heard", &DatabaseReport::Fact::name);
    return std::get<std::int64_t>(fact->value);
  };
  while (heard() > 0) {  // it asks now and then whether the server is there
  }
  proxy.recover();
  BOOST_TEST(f.wait(missed(listener)));
  f.execute("NOTIFY one, 'after'");
  BOOST_TEST(f.wait(payload(listener)) == "after");
  f.wait(database.close());
}

BOOST_AUTO_TEST_CASE(listeners_on_several_threads_hear_everything) {
  Fixture f;
  constexpr int threads = 4, messages = 200;
  std::atomic<int> ready = 0, late = 0, heard = 0;
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      asio::io_context io{1};
      const auto hear = [&]() -> awaitable<void> {
        Listener listener = f.database->listen({"all"});
        if (!(co_await listener.next()).missed) ++late;  // Boost.Test speaks on one thread only
        ++ready;
        for (int n = 0; n < messages;) {
          const auto next = co_await listener.next();
          if (next.missed) continue;  // the thread whose connection it was has ended
          n = std::max(n, std::stoi(next.payload));
          ++heard;
        }
      };
      asio::co_spawn(io, hear(), [&](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
        io.stop();
      });
      io.run();
    });
  }
  while (ready < threads) f.io.restart(), f.io.run_for(1ms);
  for (int n = 1; n <= messages; ++n) f.wait(send(*f.database, "all", std::to_string(n)));
  // The connection lives on one of these threads: when that ends, the others go on with another.
  int last = messages;
  std::atomic<bool> ended = false;
  std::thread joiner([&] {
    for (auto& thread : all) thread.join();
    ended = true;
  });
  while (!ended) {
    f.wait(send(*f.database, "all", std::to_string(++last)));
    f.io.restart();
    f.io.run_for(1ms);
  }
  joiner.join();
  BOOST_TEST(late == 0);
  BOOST_TEST(heard >= threads);
}

BOOST_AUTO_TEST_CASE(announcements_that_come_close_together_are_heard_once) {
  Fixture f;
  Listener listener = f.database->listen({"hints"});
  BOOST_TEST(f.wait(missed(listener)));
  db::Driver& driver = f.database->begin().driver();
  const auto announce = [&](int times, const char* what) -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    for (int i = 0; i < times; ++i) driver.announce(executor, "hints", what);
  };
  f.wait(announce(1000, "look"));
  BOOST_TEST(f.wait(payload(listener)) == "look");
  f.wait(announce(1, "the last"));
  BOOST_TEST(f.wait(payload(listener)) == "the last");
}

BOOST_AUTO_TEST_CASE(an_announcement_in_vain_does_not_end_those_to_come) {
  Fixture f;
  Listener listener = f.database->listen({"hints"});
  BOOST_TEST(f.wait(missed(listener)));
  db::Driver& driver = f.database->begin().driver();
  {
    asio::io_context soon_gone{1};
    driver.announce(soon_gone.get_executor(), "hints", "never sent");
  }
  driver.announce(f.io.get_executor(), "hints", "sent");
  std::string heard;
  while (heard != "sent") heard = f.wait(payload(listener));
}
