// How connections and the server end: disconnects, failures, drain, stop.
#include <atomic>

#include "server_fixture.h"

using namespace aegis;
using namespace aegis::test;

BOOST_AUTO_TEST_SUITE(server_life)

BOOST_AUTO_TEST_CASE(a_client_that_has_said_all_still_gets_its_replies) {
  ServerFixture fixture([](Request& request) -> awaitable<Response> {
    co_await wait_for(5ms);
    co_return Response::text(std::string(request.path));
  });
  Client client = fixture.connect();
  client.send(get("/one") + get("/two")).shut_down_sending();
  BOOST_TEST(client.receive().body == "/one");
  BOOST_TEST(client.receive().body == "/two");
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(clients_may_leave_at_any_moment) {
  ServerFixture fixture(
      [](Request& request) -> awaitable<Response> {
        co_await wait_for(1ms);
        if (request.path == "/large") co_return Response::text(std::string(4 << 20, 'x'));
        co_return Response::text("small");
      },
      {}, 2);
  const std::string whole = post("/x", "a body") + get("/large");
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    Client closing = fixture.connect();
    closing.send(whole.substr(0, cut)).close();
    Client resetting = fixture.connect();
    resetting.send(whole.substr(0, cut)).reset();
  }
  for (int i = 0; i < 20; ++i) {  // in the middle of a reply
    Client client = fixture.connect();
    client.send(get("/large")).receive_bytes(1000);
    client.reset();
  }
  fixture.await([](const ServerStats& stats) { return stats.connections_open == 0; });
  BOOST_TEST(fixture.connect().exchange(get("/")).body == "small");
  BOOST_TEST(fixture.server().stats().in_flight == 0u);
}

BOOST_AUTO_TEST_CASE(an_exception_becomes_a_500_that_tells_nothing_of_it) {
  log::Capture logs;
  ServerFixture fixture([](Request& request) -> awaitable<Response> {
    if (request.path == "/throws") throw std::runtime_error("the password is swordfish");
    if (request.path == "/odd") throw 42;
    if (request.path == "/status") co_return Response(42);
    if (request.path == "/aborted") {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return Response::text("fine");
  });
  Client client = fixture.connect();
  for (const char* path : {"/throws", "/odd", "/status", "/aborted"}) {
    const WireReply reply =
        client.exchange(get(path, "X-Request-Id: id-of" + std::string(path + 1) + "\r\n"));
    BOOST_TEST(reply.status == 500);
    BOOST_TEST(reply.header("content-type") == "application/problem+json");
    BOOST_TEST(reply.body.find("swordfish") == std::string::npos);
    BOOST_TEST(logs.contains("id-of" + std::string(path + 1)));
  }
  BOOST_TEST(logs.contains("swordfish"));
  BOOST_TEST(logs.lines().size() == 4u);  // each once
  BOOST_TEST(client.exchange(get("/")).body == "fine");
  BOOST_TEST(fixture.server().stats().server_errors == 4u);
}

BOOST_AUTO_TEST_CASE(a_handlers_own_answer_of_500_and_more_is_no_failure_to_log) {
  log::Capture logs;
  ServerFixture fixture([](Request& request) -> awaitable<Response> {
    if (request.path == "/readyz") co_return Response::text("not ready", 503);
    throw Error(Errc::internal, "SQL failed, in: SELECT sword");
  });
  Client client = fixture.connect();
  BOOST_TEST(client.exchange(get("/readyz")).body == "not ready");
  BOOST_TEST(logs.lines().empty());
  const WireReply reply = client.exchange(get("/", "X-Request-Id: one\r\n"));
  BOOST_TEST(reply.status == 500);
  BOOST_TEST(reply.body.find("SELECT") == std::string::npos);
  BOOST_TEST(reply.body.find("under the request id one") != std::string::npos);
  BOOST_TEST(logs.lines().size() == 1u);
  BOOST_TEST(fixture.server().stats().server_errors == 2u);
}

BOOST_AUTO_TEST_CASE(requests_are_logged_when_asked_for) {
  log::Capture logs(log::Level::info);
  ServerOptions options;
  options.access_log = true;
  ServerFixture fixture(echo, options);
  Client client = fixture.connect();
  client.exchange(get("/shields?token=secret", "X-Request-Id: logged-1\r\n"));
  BOOST_TEST(logs.contains("\"/shields\""));
  BOOST_TEST(logs.contains("logged-1"));
  BOOST_TEST(logs.contains("127.0.0.1"));
  BOOST_TEST(!logs.contains("secret"));
  client.exchange("nonsense\r\n\r\n");
  BOOST_TEST(logs.contains("400"));
}

BOOST_AUTO_TEST_CASE(successful_requests_are_not_logged_otherwise) {
  log::Capture logs(log::Level::info);
  ServerFixture fixture(echo);
  fixture.connect().exchange(get("/"));
  BOOST_TEST(!logs.contains("GET"));
}

BOOST_AUTO_TEST_CASE(drain_finishes_what_is_in_flight) {
  std::atomic<bool> finish = false;
  ServerFixture fixture(
      [&](Request& request) -> awaitable<Response> {
        while (request.path == "/slow" && !finish) co_await wait_for(5ms);
        co_return Response::text("done");
      },
      {}, 2);
  Client busy = fixture.connect();
  busy.send(get("/slow"));
  fixture.await([](const ServerStats& stats) { return stats.in_flight == 1; });
  Client idle = fixture.connect();
  BOOST_TEST(idle.exchange(get("/")).header("connection").empty());
  Client sending = fixture.connect();
  sending.send("GET /late HTTP/1.1\r\nHost: te");

  std::future<void> drained = fixture.drain();
  while (idle.exchange(get("/")).header("connection") != "close") {  // until the drain has begun
  }
  BOOST_TEST(idle.at_end());
  BOOST_CHECK_THROW(fixture.connect(), boost::system::system_error);
  const WireReply late = sending.exchange("st\r\n\r\n");
  BOOST_TEST(late.status == 200);
  BOOST_TEST(late.header("connection") == "close");
  BOOST_TEST((drained.wait_for(0s) == std::future_status::timeout));

  finish = true;
  const WireReply reply = busy.receive();
  BOOST_TEST(reply.body == "done");
  BOOST_TEST(reply.header("connection") == "close");
  busy.close();
  idle.close();
  sending.close();
  BOOST_TEST((drained.wait_for(patience) == std::future_status::ready));
  BOOST_TEST(fixture.server().stats().connections_open == 0u);
}

BOOST_AUTO_TEST_CASE(drain_closes_idle_connections_after_their_grace) {
  ServerFixture fixture(echo);
  Client used = fixture.connect();
  used.exchange(get("/"));
  Client fresh = fixture.connect();
  fixture.await([](const ServerStats& stats) { return stats.connections_open == 2; });
  std::future<void> drained = fixture.drain();
  BOOST_TEST(used.at_end());
  BOOST_TEST(fresh.at_end());
  BOOST_TEST((drained.wait_for(patience) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(drain_does_not_wait_for_a_header_that_stalls) {
  ServerFixture fixture(echo);
  Client stalling = fixture.connect();
  stalling.send("GET / HTTP/1.1\r\nHost: te");
  fixture.await([](const ServerStats& stats) { return stats.connections_open == 1; });
  std::future<void> drained = fixture.drain();
  BOOST_TEST(stalling.receive().status == 408);  // its time-out would be 10 s
  stalling.close();
  BOOST_TEST((drained.wait_for(patience) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(drain_with_a_delay_goes_on_accepting_and_says_close) {
  ServerFixture fixture(echo, {}, 2);
  Client kept = fixture.connect();
  BOOST_TEST(kept.exchange(get("/")).header("connection").empty());
  std::future<void> drained = fixture.drain(1h);                     // the fixture's end cancels it
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (kept.exchange(get("/")).header("connection") != "close") {  // until it has begun
    BOOST_REQUIRE(std::chrono::steady_clock::now() < deadline);
  }
  BOOST_TEST(kept.at_end());
  for (int i = 0; i < 4; ++i) {  // on either core
    Client fresh = fixture.connect();
    WireReply reply = fresh.exchange(get("/"));
    BOOST_TEST(reply.status == 200);
    if (reply.header("connection") != "close") continue;  // its core has not heard of it yet
    BOOST_TEST(fresh.at_end());
  }
  BOOST_TEST((drained.wait_for(0s) == std::future_status::timeout));
}

BOOST_AUTO_TEST_CASE(drain_ends_when_its_delay_is_over) {
  ServerFixture fixture(echo, {}, 2);
  BOOST_TEST((fixture.drain(1ms).wait_for(patience) == std::future_status::ready));
  BOOST_CHECK_THROW(fixture.connect(), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(drain_without_connections_completes) {
  ServerFixture fixture(echo, {}, 2);
  BOOST_TEST((fixture.drain().wait_for(patience) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(drain_loses_no_reply_of_busy_clients) {
  std::atomic<int> handled = 0;
  ServerFixture fixture(
      [&](Request&) -> awaitable<Response> {
        if (++handled % 7 == 0) co_await wait_for(1ms);
        co_return Response::text("done");
      },
      {}, 2);
  std::atomic<int> received = 0, closed = 0, connected = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 64; ++i) {
    clients.emplace_back([&] {
      Client client = fixture.connect();
      ++connected;
      for (;;) {
        try {
          const WireReply reply = client.exchange(get("/"));
          ++received;
          if (reply.header("connection") == "close") {
            ++closed;
            return;
          }
        } catch (const std::exception&) {
          return;
        }
      }
    });
  }
  while (connected < 64 || received < 1000) std::this_thread::yield();
  std::future<void> drained = fixture.drain();
  for (std::thread& client : clients) client.join();
  BOOST_TEST((drained.wait_for(patience) == std::future_status::ready));
  BOOST_TEST(received == handled);
  BOOST_TEST(closed == 64);
}

BOOST_AUTO_TEST_CASE(a_server_may_be_destroyed_while_handlers_wait) {
  Handler handler([](Request&) -> awaitable<Response> {
    co_await wait_forever();
    co_return Response::text("never");
  });
  const Services services;
  RuntimeOptions runtime_options;
  runtime_options.threads = 2;
  runtime_options.handle_signals = false;
  Runtime runtime(runtime_options);
  ServerOptions options;
  options.port = 0;
  std::optional<Server> server(std::in_place, runtime, options, handler, services);
  server->start();
  std::thread thread([&] { runtime.run(); });

  Client waiting(server->port()), other(server->port()), idle(server->port());
  waiting.send(get("/"));
  other.send(get("/"));
  while (server->stats().in_flight < 2 || server->stats().connections_open < 3) {
    std::this_thread::yield();
  }
  server.reset();
  BOOST_TEST(waiting.at_end());
  BOOST_TEST(other.at_end());
  BOOST_TEST(idle.at_end());
  runtime.stop();
  thread.join();
}

BOOST_AUTO_TEST_SUITE_END()
