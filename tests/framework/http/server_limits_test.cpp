// Time-outs, and limits on connections, requests in flight and memory.
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "server_fixture.h"

using namespace aegis;
using namespace aegis::test;

namespace {

/// A handler's event that a test may await.
class Event {
 public:
  void set() { promise_.set_value(); }
  bool comes() { return future_.wait_for(patience) == std::future_status::ready; }
  bool is_set() { return future_.wait_for(0s) == std::future_status::ready; }

 private:
  std::promise<void> promise_;
  std::future<void> future_ = promise_.get_future();
};

/// Waits until it is cancelled, and says so.
awaitable<Response> wait_to_be_cancelled(Event& began, Event& cancelled) {
  began.set();
  try {
    co_await wait_forever();
  } catch (const boost::system::system_error&) {
    cancelled.set();
    throw;
  }
  co_return Response::text("never");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server_limits)

BOOST_AUTO_TEST_CASE(a_slow_header_is_timed_out_although_bytes_keep_coming) {
  ServerOptions options;
  options.header_timeout = 200ms;
  ServerFixture fixture(echo, options);
  Client client = fixture.connect();
  client.send("GET / HTTP/1.1\r\nHost: test\r\n");
  std::atomic<bool> done = false;
  std::thread dripping([&] {
    while (!done) {
      client.send("X: y\r\n");
      std::this_thread::sleep_for(20ms);
    }
  });
  const WireReply reply = client.receive();
  done = true;
  dripping.join();
  BOOST_TEST(reply.status == 408);
  BOOST_TEST(reply.header("connection") == "close");
  fixture.await([](const ServerStats& stats) { return stats.connections_open == 0; });
  BOOST_TEST(fixture.server().stats().timeouts == 1u);
}

BOOST_AUTO_TEST_CASE(a_slow_body_is_timed_out) {
  ServerOptions options;
  options.body_timeout = 100ms;
  ServerFixture fixture(echo, options);
  Client client = fixture.connect();
  client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc");
  BOOST_TEST(client.receive().status == 408);
  BOOST_TEST(client.at_end());

  Client chunked = fixture.connect();
  chunked.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
  BOOST_TEST(chunked.receive().status == 408);
}

BOOST_AUTO_TEST_CASE(a_late_request_is_logged_as_it_came_although_its_buffer_was_full) {
  constexpr std::size_t first_buffer = 8192;  // of a connection: waiting for more moves the bytes
  for (const std::string& before : {std::string(), get("/before")}) {
    log::Capture logs;
    ServerOptions options;
    options.header_timeout = 100ms;
    options.access_log = true;
    ServerFixture fixture(echo, options);
    Client client = fixture.connect();
    std::string request = before + "GET /a-path-that-came-late HTTP/1.1\r\nHost: test\r\nX: ";
    request.resize(first_buffer, 'x');
    client.send(request);
    if (!before.empty()) BOOST_TEST(client.receive().status == 200);
    BOOST_TEST(client.receive().status == 408);
    BOOST_TEST(logs.contains("/a-path-that-came-late"));
  }
}

BOOST_AUTO_TEST_CASE(idle_connections_are_closed_silently) {
  ServerOptions options;
  options.idle_timeout = 100ms;
  ServerFixture fixture(echo, options);
  Client fresh = fixture.connect();
  BOOST_TEST(fresh.at_end());
  Client used = fixture.connect();
  BOOST_TEST(used.exchange(get("/")).status == 200);
  used.send("\r\n");  // no request
  BOOST_TEST(used.at_end());
  BOOST_TEST(fixture.server().stats().timeouts == 0u);
}

BOOST_AUTO_TEST_CASE(a_slow_handler_is_cancelled) {
  log::Capture logs;
  Event began, cancelled;
  ServerOptions options;
  options.handler_timeout = 100ms;
  ServerFixture fixture([&](Request&) { return wait_to_be_cancelled(began, cancelled); }, options);
  Client client = fixture.connect();
  client.send(get("/slow", "X-Request-Id: slow-one\r\n"));
  const WireReply reply = client.receive();
  BOOST_TEST(reply.status == 504);
  BOOST_TEST(reply.header("content-type") == "application/problem+json");
  BOOST_TEST(reply.header("connection") == "close");
  BOOST_TEST(reply.header("x-request-id") == "slow-one");
  BOOST_TEST(client.at_end());
  BOOST_TEST(cancelled.is_set());
  BOOST_TEST(fixture.server().stats().timeouts == 1u);
  BOOST_TEST(logs.contains("slow-one"));
}

BOOST_AUTO_TEST_CASE(what_a_handler_did_in_spite_of_the_time_out_is_told) {
  ServerOptions options;
  options.handler_timeout = 100ms;
  ServerFixture fixture(
      [](Request&) -> awaitable<Response> {
        try {
          co_await wait_forever();
        } catch (const boost::system::system_error&) {
        }
        co_return Response::text("made it", 201);
      },
      options);
  Client client = fixture.connect();
  const WireReply reply = client.exchange(get("/"));
  BOOST_TEST(reply.status == 201);
  BOOST_TEST(reply.header("connection") == "close");
}

BOOST_AUTO_TEST_CASE(a_handler_that_ignores_its_cancellation_is_named) {
  log::Capture logs;
  std::atomic<bool> finish = false;
  ServerOptions options;
  options.handler_timeout = 100ms;
  ServerFixture fixture(
      [&](Request& request) -> awaitable<Response> {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        while (request.path == "/stubborn" && !finish) co_await wait_for(5ms);
        co_return Response::text("late");
      },
      options);
  Client client = fixture.connect();
  client.send(get("/stubborn"));
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!logs.contains("ignores its cancellation") &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(5ms);
  }
  BOOST_TEST(logs.contains("ignores its cancellation"));
  BOOST_TEST(logs.contains("/stubborn"));
  BOOST_TEST(fixture.connect().exchange(get("/other")).status == 200);
  finish = true;
  BOOST_TEST(client.receive().body == "late");
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_cancels_its_handler) {
  Event began, cancelled;
  ServerFixture fixture([&](Request&) { return wait_to_be_cancelled(began, cancelled); });
  Client client = fixture.connect();
  client.send(get("/"));
  BOOST_TEST(began.comes());
  client.close();
  BOOST_TEST(cancelled.comes());
  fixture.await([](const ServerStats& stats) { return stats.connections_open == 0; });
  BOOST_TEST(fixture.server().stats().server_errors == 0u);
}

BOOST_AUTO_TEST_CASE(a_client_that_resets_cancels_its_handler) {
  Event began, cancelled;
  ServerFixture fixture([&](Request&) { return wait_to_be_cancelled(began, cancelled); });
  Client client = fixture.connect();
  client.send(get("/"));
  BOOST_TEST(began.comes());
  client.reset();
  BOOST_TEST(cancelled.comes());
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_is_closed_and_costs_little_memory) {
  ServerOptions options;
  options.write_timeout = 200ms;
  ServerFixture fixture(
      [](Request&) -> awaitable<Response> { co_return Response::text(std::string(1 << 20, 'x')); },
      options);
  Client client = fixture.connect(4096);
  std::string all;
  for (int i = 0; i < 1000; ++i) all += get("/");
  client.send(all);
  fixture.await([](const ServerStats& stats) { return stats.timeouts == 1; });
  fixture.await([](const ServerStats& stats) { return stats.connections_open == 0; });
  BOOST_TEST(fixture.server().stats().requests < 100u);  // the rest waited in the client
}

BOOST_AUTO_TEST_CASE(small_replies_to_a_client_that_does_not_read_are_bounded_too) {
  ServerOptions options;
  options.write_timeout = 200ms;
  ServerFixture fixture(
      [](Request&) -> awaitable<Response> { co_return Response::text(std::string(10'000, 'x')); },
      options);
  Client client = fixture.connect(4096);
  std::string all;
  for (int i = 0; i < 10'000; ++i) all += get("/");
  client.send(all);
  fixture.await([](const ServerStats& stats) { return stats.connections_open == 0; });
  BOOST_TEST(fixture.server().stats().requests < 2'000u);
}

BOOST_AUTO_TEST_CASE(a_slow_reader_that_reads_gets_everything) {
  ServerOptions options;
  options.write_timeout = 1000ms;
  ServerFixture fixture(
      [](Request&) -> awaitable<Response> { co_return Response::text(std::string(8 << 20, 'x')); },
      options);
  Client client = fixture.connect(4096);
  client.send(get("/"));
  BOOST_TEST(client.receive().body.size() == std::size_t{8} << 20);
}

BOOST_AUTO_TEST_CASE(a_streamed_body_waits_for_the_client) {
  std::atomic<int> pieces = 0;
  ServerOptions options;
  options.write_timeout = 300ms;
  ServerFixture fixture(
      [&](Request&) -> awaitable<Response> {
        auto source = [&pieces]() -> awaitable<std::string> {
          ++pieces;
          co_return std::string(64 * 1024, 'x');
        };
        co_return Response::chunked(source, "text/plain");
      },
      options);
  Client client = fixture.connect(4096);
  client.send(get("/"));
  fixture.await([](const ServerStats& stats) { return stats.timeouts == 1; });
  BOOST_TEST(pieces > 0);
  BOOST_TEST(pieces < 500);
}

BOOST_AUTO_TEST_CASE(a_streamed_body_that_stalls_or_fails_is_cut_visibly) {
  ServerOptions options;
  options.handler_timeout = 100ms;
  ServerFixture fixture(
      [](Request& request) -> awaitable<Response> {
        auto source = [fails = request.path == "/fails",
                       first = true]() mutable -> awaitable<std::string> {
          if (std::exchange(first, false)) co_return "piece";
          if (fails) throw std::runtime_error("lost");
          co_await wait_forever();
          co_return "";
        };
        co_return Response::chunked(source, "text/plain");
      },
      options);
  for (const char* path : {"/stalls", "/fails"}) {
    Client client = fixture.connect();
    const std::string all = client.send(get(path)).receive_rest();
    BOOST_TEST(all.ends_with("\r\n\r\n5\r\npiece\r\n"));
    Client old = fixture.connect();
    const std::string cut =
        old.send("GET " + std::string(path) + " HTTP/1.0\r\n\r\n").receive_rest();
    BOOST_TEST(cut.ends_with("(connection reset)"));
  }
}

BOOST_AUTO_TEST_CASE(a_client_too_many_is_turned_away) {
  ServerOptions options;
  options.max_connections = 2;
  ServerFixture fixture(echo, options, 2);
  Client one = fixture.connect();
  Client two = fixture.connect();
  BOOST_TEST(one.exchange(get("/")).status == 200);
  BOOST_TEST(two.exchange(get("/")).status == 200);
  {
    Client three = fixture.connect();
    const WireReply reply = three.exchange(get("/"));
    BOOST_TEST(reply.status == 503);
    BOOST_TEST(reply.header("retry-after") == "1");
    BOOST_TEST(reply.header("connection") == "close");
    BOOST_TEST(three.at_end());
  }
  BOOST_TEST(fixture.server().stats().connections_refused == 1u);
  BOOST_TEST(one.exchange(get("/")).status == 200);
  two.close();
  fixture.await([](const ServerStats& stats) { return stats.connections_open == 1; });
  BOOST_TEST(fixture.connect().exchange(get("/")).status == 200);
}

BOOST_AUTO_TEST_CASE(a_request_too_many_is_refused_and_its_connection_stays) {
  std::atomic<bool> finish = false;
  ServerOptions options;
  options.max_in_flight = 1;
  ServerFixture fixture(
      [&](Request& request) -> awaitable<Response> {
        while (request.path == "/slow" && !finish) co_await wait_for(5ms);
        co_return Response::text("done");
      },
      options);
  Client slow = fixture.connect();
  slow.send(get("/slow"));
  fixture.await([](const ServerStats& stats) { return stats.in_flight == 1; });
  Client other = fixture.connect();
  for (int i = 0; i < 2; ++i) {
    const WireReply refused = other.exchange(get("/"));
    BOOST_TEST(refused.status == 503);
    BOOST_TEST(refused.header("retry-after") == "1");
    BOOST_TEST(refused.header("connection").empty());
  }
  finish = true;
  BOOST_TEST(slow.receive().body == "done");
  BOOST_TEST(other.exchange(get("/")).body == "done");
}

BOOST_AUTO_TEST_CASE(running_out_of_descriptors_does_not_end_the_accepting) {
  log::Capture logs;
  ServerFixture fixture(echo);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  // Take all descriptors there are.
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(client) + 20;
  ::setrlimit(RLIMIT_NOFILE, &tight);
  std::vector<int> taken;
  for (int fd = 0; (fd = ::dup(client)) >= 0;) taken.push_back(fd);

  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(fixture.server().port());
  BOOST_TEST(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!logs.contains("cannot accept connections") &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  BOOST_TEST(logs.contains("cannot accept connections"));

  for (const int fd : taken) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
  const std::string request = get("/", "Connection: close\r\n");
  BOOST_TEST(::send(client, request.data(), request.size(), 0) ==
             static_cast<ssize_t>(request.size()));
  char byte = 0;
  BOOST_TEST(::recv(client, &byte, 1, 0) == 1);
  ::close(client);
  BOOST_TEST(fixture.connect().exchange(get("/")).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
