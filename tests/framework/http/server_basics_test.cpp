// What every client may expect: methods, keep-alive, pipelining, framing, request ids.
#include <fstream>

#include "server_fixture.h"

using namespace aegis;
using namespace aegis::test;

BOOST_AUTO_TEST_SUITE(server_basics)

BOOST_AUTO_TEST_CASE(get_and_post_on_one_connection) {
  ServerFixture fixture(echo);
  Client client = fixture.connect();

  const WireReply first = client.exchange(get("/shields?material=iron"));
  BOOST_TEST(first.status == 200);
  BOOST_TEST(first.body == "GET /shields ");
  BOOST_TEST(first.header("content-type") == "text/plain; charset=utf-8");
  BOOST_TEST(first.header("content-length") == "13");
  BOOST_TEST(first.header("date").size() == 29u);
  BOOST_TEST(first.header("connection").empty());

  const WireReply second = client.exchange(post("/shields", R"({"name":"Aegis"})"));
  BOOST_TEST(second.body == R"(POST /shields {"name":"Aegis"})");
}

BOOST_AUTO_TEST_CASE(the_handler_sees_the_whole_request) {
  ServerFixture fixture([](Request& request) -> awaitable<Response> {
    std::string text(to_string(request.method));
    text.append("|").append(request.target).append("|").append(request.path);
    text.append("|").append(request.query).append("|").append(request.header("x-color"));
    text.append("|").append(request.header("absent")).append("|").append(request.body);
    text.append("|").append(request.peer).append("|").append(request.services ? "services" : "");
    co_return Response::text(text);
  });
  Client client = fixture.connect();
  BOOST_TEST(client
                 .exchange("PUT /a%20b/c?d=e&f HTTP/1.1\r\nHost: test\r\nX-Color:  red \t\r\n"
                           "Content-Length: 4\r\n\r\nbody")
                 .body == "PUT|/a%20b/c?d=e&f|/a%20b/c|d=e&f|red||body|127.0.0.1|services");
  BOOST_TEST(
      client.exchange("DELETE http://elsewhere:80/x?y HTTP/1.1\r\nHost: test\r\n\r\n").body ==
      "DELETE|http://elsewhere:80/x?y|/x|y||||127.0.0.1|services");
  BOOST_TEST(client.exchange("GET HTTPS://elsewhere HTTP/1.1\r\nHost: test\r\n\r\n").body ==
             "GET|HTTPS://elsewhere|/|||||127.0.0.1|services");
  BOOST_TEST(client.exchange("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n").body ==
             "OPTIONS|*|*|||||127.0.0.1|services");
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
  ServerFixture fixture(echo);
  Client client = fixture.connect();
  std::string all;
  for (int i = 0; i < 100; ++i) all += get("/" + std::to_string(i));
  client.send(all);
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST(client.receive().body == "GET /" + std::to_string(i) + " ");
  }
}

BOOST_AUTO_TEST_CASE(pipelined_requests_wait_for_a_slow_one_and_earlier_replies_do_not) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  ServerFixture fixture([&](Request& request) -> awaitable<Response> {
    while (request.path == "/slow" && released.wait_for(0s) != std::future_status::ready) {
      co_await wait_for(5ms);
    }
    co_return Response::text(std::string(request.path));
  });
  Client client = fixture.connect();
  client.send(get("/first") + get("/slow") + get("/last"));
  BOOST_TEST(client.receive().body == "/first");
  release.set_value();
  BOOST_TEST(client.receive().body == "/slow");
  BOOST_TEST(client.receive().body == "/last");
}

BOOST_AUTO_TEST_CASE(requests_may_come_byte_by_byte) {
  ServerFixture fixture(echo);
  Client client = fixture.connect();
  const std::string requests =
      get("/one") + post("/two", "body") +
      "POST /three HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;x=\"y\"\r\ndefg\r\n0\r\nTrailer: ignored\r\n\r\n" +
      get("/four");
  for (const char byte : requests) client.send({&byte, 1});
  BOOST_TEST(client.receive().body == "GET /one ");
  BOOST_TEST(client.receive().body == "POST /two body");
  BOOST_TEST(client.receive().body == "POST /three abcdefg");
  BOOST_TEST(client.receive().body == "GET /four ");
}

BOOST_AUTO_TEST_CASE(empty_lines_before_a_request_are_ignored) {
  ServerFixture fixture(echo);
  Client client = fixture.connect();
  BOOST_TEST(client.exchange("\r\n\r\n" + get("/one") + "\r\n").status == 200);
  BOOST_TEST(client.exchange("\r\n" + get("/two")).body == "GET /two ");
}

BOOST_AUTO_TEST_CASE(head_has_the_headers_of_get_and_no_body) {
  ServerFixture fixture([](Request&) -> awaitable<Response> {
    co_return Response::json(R"({"a":1})").set_header("ETag", "\"1\"");
  });
  Client client = fixture.connect();
  client.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n" + get("/"));
  const WireReply head = client.receive(true);
  BOOST_TEST(head.status == 200);
  BOOST_TEST(head.header("content-length") == "7");
  BOOST_TEST(head.header("content-type") == "application/json");
  BOOST_TEST(head.header("etag") == "\"1\"");
  BOOST_TEST(client.receive().body == R"({"a":1})");
}

BOOST_AUTO_TEST_CASE(no_content_and_not_modified_have_no_body) {
  ServerFixture fixture([](Request& request) -> awaitable<Response> {
    co_return Response::text("dropped", request.path == "/204" ? 204 : 304);
  });
  Client client = fixture.connect();
  for (const int status : {204, 304, 204}) {
    const WireReply reply = client.exchange(get("/" + std::to_string(status)));
    BOOST_TEST(reply.status == status);
    BOOST_TEST(!reply.headers.contains("content-length"));
    BOOST_TEST(!reply.headers.contains("content-type"));
  }
}

BOOST_AUTO_TEST_CASE(connection_close_is_honoured) {
  ServerFixture fixture(echo);
  Client client = fixture.connect();
  client.send(get("/a", "Connection: close\r\n") + get("/never"));
  const WireReply reply = client.receive();
  BOOST_TEST(reply.header("connection") == "close");
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(http_1_0_closes_unless_asked_to_stay) {
  ServerFixture fixture(echo);
  Client closing = fixture.connect();
  BOOST_TEST(closing.exchange("GET / HTTP/1.0\r\n\r\n").header("connection") == "close");
  BOOST_TEST(closing.at_end());

  Client staying = fixture.connect();
  const std::string request = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
  BOOST_TEST(staying.exchange(request).header("connection") == "keep-alive");
  BOOST_TEST(staying.exchange(request).header("connection") == "keep-alive");
}

BOOST_AUTO_TEST_CASE(a_connection_survives_client_errors) {
  ServerFixture fixture([](Request& request) -> awaitable<Response> {
    if (request.path == "/bad") co_return problem(404, "no such thing");
    co_return Response::text("fine");
  });
  Client client = fixture.connect();
  const WireReply bad = client.exchange(get("/bad"));
  BOOST_TEST(bad.status == 404);
  BOOST_TEST(bad.header("content-type") == "application/problem+json");
  BOOST_TEST(client.exchange(get("/good")).body == "fine");
}

BOOST_AUTO_TEST_CASE(request_ids_are_kept_or_made) {
  ServerFixture fixture(
      [](Request& request) -> awaitable<Response> { co_return Response::text(request.id); });
  Client client = fixture.connect();

  WireReply reply = client.exchange(get("/", "X-Request-Id: a.B_c-1\r\n"));
  BOOST_TEST(reply.body == "a.B_c-1");
  BOOST_TEST(reply.header("x-request-id") == "a.B_c-1");
  reply = client.exchange(get("/", "X-Request-ID: " + std::string(128, 'a') + "\r\n"));
  BOOST_TEST(reply.body == std::string(128, 'a'));

  std::map<std::string, int> made;
  for (const std::string insane : {"", "a b", "<script>", "x\xffy", "a;b"}) {
    ++made[client.exchange(get("/", "X-Request-Id: " + insane + "\r\n")).header("x-request-id")];
  }
  ++made[client.exchange(get("/", "X-Request-Id: " + std::string(129, 'a') + "\r\n")).body];
  ++made[client.exchange(get("/")).body];
  BOOST_TEST(made.size() == 7u);
  for (const auto& [id, count] : made) {
    BOOST_TEST(id.size() >= 12u);
    BOOST_TEST(id.size() <= 40u);
  }
}

BOOST_AUTO_TEST_CASE(handler_headers_are_sent) {
  ServerFixture fixture([](Request&) -> awaitable<Response> {
    Response response = Response::text("x", 201);
    response.set_header("Location", "/shields/1").set_header("X-A", "1").set_header("x-a", "2");
    co_return response;
  });
  Client client = fixture.connect();
  const WireReply reply = client.exchange(get("/"));
  BOOST_TEST(reply.head.starts_with("HTTP/1.1 201 Created\r\n"));
  BOOST_TEST(reply.header("location") == "/shields/1");
  BOOST_TEST(reply.header("x-a") == "2");
}

BOOST_AUTO_TEST_CASE(large_bodies_go_both_ways) {
  ServerOptions options;
  options.max_body_bytes = 8 * 1024 * 1024;
  ServerFixture fixture(
      [](Request& request) -> awaitable<Response> {
        co_return Response::text(std::string(request.body.rbegin(), request.body.rend()));
      },
      options);
  Client client = fixture.connect();
  std::string body;
  for (int i = 0; body.size() < 5'000'000; ++i) body += std::to_string(i) + ' ';
  const std::string reversed(body.rbegin(), body.rend());
  for (int i = 0; i < 2; ++i) {
    const WireReply reply = client.exchange(post("/", body));
    BOOST_TEST((reply.body == reversed));
  }
  std::string chunked = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 1000) {
    const std::string chunk = body.substr(at, 1000);
    char size[20];
    std::snprintf(size, sizeof size, "%zX\r\n", chunk.size());
    chunked.append(size).append(chunk).append("\r\n");
  }
  BOOST_TEST((client.exchange(chunked + "0\r\n\r\n").body == reversed));
  BOOST_TEST(client.exchange(post("/", "abc")).body == "cba");
}

BOOST_AUTO_TEST_CASE(chunked_replies) {
  ServerFixture fixture([](Request& request) -> awaitable<Response> {
    auto source = [left = 3, big = request.path == "/big"]() mutable -> awaitable<std::string> {
      if (left == 0) co_return "";
      co_await wait_for(1ms);
      const char letter = static_cast<char>('a' + --left);
      co_return std::string(big ? 100'000 : 2, letter);
    };
    co_return Response::chunked(source, "text/plain");
  });
  Client client = fixture.connect();
  client.send(get("/") + get("/big") + "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n" + get("/"));

  const WireReply reply = client.receive();
  BOOST_TEST(reply.header("transfer-encoding") == "chunked");
  BOOST_TEST(reply.header("content-type") == "text/plain");
  BOOST_TEST(!reply.headers.contains("content-length"));
  BOOST_TEST(reply.body == "ccbbaa");
  BOOST_TEST(client.receive().body.size() == 300'000u);
  BOOST_TEST(client.receive(true).status == 200);
  BOOST_TEST(client.receive().body == "ccbbaa");

  Client old = fixture.connect();
  const WireReply until_close = old.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  BOOST_TEST(!until_close.headers.contains("transfer-encoding"));
  BOOST_TEST(until_close.header("connection") == "close");
  BOOST_TEST(until_close.body == "ccbbaa");
}

BOOST_AUTO_TEST_CASE(continue_is_sent_before_an_acceptable_body) {
  ServerOptions options;
  options.max_body_bytes = 10;
  ServerFixture fixture(echo, options);
  Client client = fixture.connect();
  const std::string head =
      "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-Continue\r\nContent-Length: ";
  client.send(get("/before") + head + "4\r\n\r\n");
  BOOST_TEST(client.receive().body == "GET /before ");
  BOOST_TEST(client.receive().head == "HTTP/1.1 100 Continue\r\n\r\n");
  BOOST_TEST(client.exchange("body").body == "POST / body");

  // A client that did not wait needs none.
  BOOST_TEST(client.exchange(head + "4\r\n\r\nbody").body == "POST / body");

  client.send(head + "11\r\n\r\n");
  BOOST_TEST(client.receive().status == 413);
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(connections_are_spread_over_the_cores) {
  ServerFixture fixture(
      [](Request&) -> awaitable<Response> {
        std::ostringstream thread;
        thread << std::this_thread::get_id();
        co_return Response::text(thread.str());
      },
      {}, 2);
  std::vector<std::unique_ptr<Client>> clients;
  std::map<std::string, int> connections;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<Client>(fixture.server().port()));
    ++connections[clients.back()->exchange(get("/")).body];
  }
  BOOST_TEST(connections.size() == 2u);
  for (const auto& [thread, count] : connections) BOOST_TEST(count == 5);
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_named_or_the_next_one_used) {
  ServerFixture first(echo);
  RuntimeOptions quiet;
  quiet.handle_signals = false;
  Runtime runtime(quiet);
  const Handler handler(echo);
  const Services services;

  ServerOptions options;
  options.port = first.server().port();
  Server stuck(runtime, options, handler, services);
  BOOST_CHECK_EXCEPTION(stuck.start(), Error, [&](const Error& error) {
    return error.code() == Errc::unavailable &&
           std::string(error.what()).find("127.0.0.1:" + std::to_string(options.port)) !=
               std::string::npos;
  });

  options.next_free_port = true;
  Server next(runtime, options, handler, services);
  next.start();
  BOOST_TEST(next.port() > options.port);

  options.host = "no.such.host.invalid";
  Server lost(runtime, options, handler, services);
  BOOST_CHECK_THROW(lost.start(), Error);
}

BOOST_AUTO_TEST_CASE(counters_tell_what_happened) {
  ServerFixture fixture(echo);
  {
    Client client = fixture.connect();
    for (int i = 0; i < 3; ++i) client.exchange(get("/"));
    const ServerStats stats = fixture.server().stats();
    BOOST_TEST(stats.connections_accepted == 1u);
    BOOST_TEST(stats.connections_open == 1u);
    BOOST_TEST(stats.requests == 3u);
    BOOST_TEST(stats.in_flight == 0u);
  }
  fixture.await([](const ServerStats& stats) { return stats.connections_open == 0; });
}

BOOST_AUTO_TEST_CASE(the_options_of_the_server_itself_may_be_asked_for) {
  Router router;
  router.get("/", []() -> awaitable<void> { co_return; });
  ServerFixture fixture([&](Request& request) { return router.handle(request); });
  Client client = fixture.connect();
  BOOST_TEST(client.exchange("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n").status == 204);
  const WireReply refused = client.exchange("GET * HTTP/1.1\r\nHost: test\r\n\r\n");
  BOOST_TEST(refused.status == 400);
}

BOOST_AUTO_TEST_SUITE_END()
