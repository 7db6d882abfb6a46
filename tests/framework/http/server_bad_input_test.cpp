// Each kind of bad input gets its status, a problem that says what is wrong, and the connection
// ends, since where the next request begins is not known.
#include "server_fixture.h"

using namespace aegis;
using namespace aegis::test;

namespace {

ServerOptions small_limits() {
  ServerOptions options;
  options.max_header_bytes = 1000;
  options.max_body_bytes = 100;
  return options;
}

struct Case {
  std::string request;
  int status;
};

std::string with(std::string_view fields) {
  return "POST / HTTP/1.1\r\nHost: test\r\n" + std::string(fields) + "\r\n";
}

std::string chunked(std::string_view chunks) {
  return with("Transfer-Encoding: chunked\r\n") + std::string(chunks);
}

void check(ServerFixture& fixture, const Case& bad) {
  BOOST_TEST_CONTEXT("request: " << bad.request.substr(0, 200)) {
    Client client = fixture.connect();
    client.send(get("/before"));
    BOOST_TEST(client.receive().status == 200);
    const WireReply reply = client.exchange(bad.request);
    BOOST_TEST(reply.status == bad.status);
    BOOST_TEST(reply.header("content-type") == "application/problem+json");
    BOOST_TEST(reply.header("connection") == "close");
    BOOST_TEST(!reply.header("x-request-id").empty());
    BOOST_TEST(reply.body.find("\"detail\"") != std::string::npos);
    BOOST_TEST(client.at_end());
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server_bad_input)

BOOST_AUTO_TEST_CASE(a_refusal_behind_a_head_request_has_its_body) {
  ServerFixture fixture(echo, small_limits());
  for (const auto& [request, status] :
       std::vector<Case>{{"nonsense\r\n\r\n", 400},
                         {"GET /" + std::string(1200, 'x'), 414},
                         {"GET / HTTP/2.0\r\n\r\n", 505},
                         {get("/", "X: " + std::string(1200, 'x') + "\r\n"), 431}}) {
    Client client = fixture.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
    BOOST_TEST(client.receive(true).status == 200);
    const WireReply refusal = client.exchange(request);
    BOOST_TEST(refusal.status == status);
    BOOST_TEST(refusal.body.find("\"detail\"") != std::string::npos);
    BOOST_TEST(client.at_end());
  }
}

BOOST_AUTO_TEST_CASE(request_lines) {
  ServerFixture fixture(echo, small_limits());
  const std::string host = "Host: test\r\n\r\n";
  for (const Case& bad : std::vector<Case>{
           {"GET\r\n" + host, 400},
           {"GET /\r\n" + host, 400},
           {" GET / HTTP/1.1\r\n" + host, 400},
           {"GET  / HTTP/1.1\r\n" + host, 400},
           {"GET / HTTP/1.1 \r\n" + host, 400},
           {"GET / x HTTP/1.1\r\n" + host, 400},
           {"GET / http/1.1\r\n" + host, 400},
           {"GET / HTTP/1.1\n" + host, 400},
           {"GET / HTTP/1.1\n", 400},
           {"GET /\r\n\r\n", 400},
           {"GET / X\r\n\r\n", 400},
           {"GET /\t HTTP/1.1\r\n" + host, 400},
           {std::string("GET /\0 HTTP/1.1\r\n", 17) + host, 400},
           {"G{T / HTTP/1.1\r\n" + host, 400},
           {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03", 400},  // TLS
           {"GET shields HTTP/1.1\r\n" + host, 400},
           {"GET ftp://host/ HTTP/1.1\r\n" + host, 400},
           {"GET http:///x HTTP/1.1\r\n" + host, 400},
           {"GET http://user@host/x HTTP/1.1\r\n" + host, 400},
           {"GET * HTTP/1.1\r\n" + host, 400},
           {"GET / HTTP/2.0\r\n" + host, 505},
           {"GET / HTTP/1.2\r\n" + host, 505},
           {"GET / HTTP/0.9\r\n" + host, 505},
           {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
           {"BREW / HTTP/1.1\r\n" + host, 501},
           {"get / HTTP/1.1\r\n" + host, 501},
           {"TRACE / HTTP/1.1\r\n" + host, 501},
           {"CONNECT host:80 HTTP/1.1\r\n" + host, 501},
           {"GET /" + std::string(600, 'a') + " HTTP/1.1\r\n" + host, 414},
           {"GET /" + std::string(2000, 'a'), 414},
       }) {
    check(fixture, bad);
  }
}

BOOST_AUTO_TEST_CASE(fields) {
  ServerFixture fixture(echo, small_limits());
  for (const Case& bad : std::vector<Case>{
           {"GET / HTTP/1.1\r\n\r\n", 400},                        // no Host
           {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},  // two
           {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
           {with("No colon\r\n"), 400},
           {with(": no name\r\n"), 400},
           {with("Space : before\r\n"), 400},
           {with(" Space: first\r\n"), 400},
           {with("Na(me: x\r\n"), 400},
           {with(std::string("Nul: a\0b\r\n", 10)), 400},
           {with("Control: a\x01z\r\n"), 400},
           {with("Delete: a\x7fz\r\n"), 400},
           {with("Bare-Cr: a\rb\r\n"), 400},
           {with("Bare-Lf: a\nX: b\r\n"), 400},
           {with("Folded: a\r\n b\r\n"), 400},
           {with("Folded:\r\n b\r\n"), 400},
           {with("Folded: a\r\n\tb\r\n"), 400},
           {with("Folded: a\r\n \r\n"), 400},
           {with("Folded: " + std::string(900, 'a') + "\r\n b\r\n"), 400},
           {with("Long: " + std::string(1000, 'a') + "\r\n"), 431},
           {"POST / HTTP/1.1\r\nHost: test\r\nLong: " + std::string(3000, 'a'), 431},
           {with("Expect: a miracle\r\n"), 417},
       }) {
    check(fixture, bad);
  }
  std::string many = "POST / HTTP/1.1\r\nHost: test\r\n";
  for (int i = 0; i < 200; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  check(fixture, {many, 431});
}

BOOST_AUTO_TEST_CASE(body_lengths) {
  ServerFixture fixture(echo, small_limits());
  const std::string te = "Transfer-Encoding: chunked\r\n";
  const std::string last_chunk = "0\r\n\r\n";
  for (const Case& bad : std::vector<Case>{
           {with("Content-Length: 5\r\n" + te) + last_chunk, 400},
           {with(te + "Content-Length: 5\r\n") + last_chunk, 400},
           {with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
           {with("Content-Length: 5, 6\r\n"), 400},
           {with("Content-Length: -1\r\n"), 400},
           {with("Content-Length: +1\r\n"), 400},
           {with("Content-Length: 0x1\r\n"), 400},
           {with("Content-Length: 1 1\r\n"), 400},
           {with("Content-Length:\r\n"), 400},
           {with("Content-Length: 99999999999999999999\r\n"), 400},
           {with(te + te) + last_chunk, 400},
           {with("Transfer-Encoding: gzip\r\n"), 501},
           {with("Transfer-Encoding: identity\r\n"), 501},
           {with("Transfer-Encoding: gzip, chunked\r\n"), 501},
           {with("Transfer-Encoding: chunked, identity\r\n"), 501},
           {with("Transfer-Encoding: \x0b"
                 "chunked\r\n"),
            400},
           {"POST / HTTP/1.0\r\n" + te + "\r\n" + last_chunk, 400},
           {with("Content-Length: 101\r\n"), 413},
           {with("Content-Length: 18446744073709551615\r\n"), 413},
       }) {
    check(fixture, bad);
  }
}

BOOST_AUTO_TEST_CASE(chunks) {
  ServerFixture fixture(echo, small_limits());
  for (const Case& bad : std::vector<Case>{
           {chunked("x\r\n"), 400},
           {chunked("\r\n"), 400},
           {chunked("-1\r\na\r\n"), 400},
           {chunked("0x1\r\na\r\n0\r\n\r\n"), 400},
           {chunked("1 \r\na\r\n0\r\n\r\n"), 400},
           {chunked("3\r\nabcd\r\n0\r\n\r\n"), 400},
           {chunked("3\nabc\n0\n\n\r\n"), 400},
           {chunked("3\rabc\r\n0\r\n\r\n"), 400},
           {chunked("ffffffffffffffffff\r\n"), 400},
           {chunked("1;a=\"x\ny\"\r\na\r\n0\r\n\r\n"), 400},
           {chunked("1;=\r\na\r\n0\r\n\r\n"), 400},
           {chunked("0\r\nBad trailer\r\n\r\n"), 400},
           {chunked("0\r\nFolded: a\r\n b\r\n\r\n"), 400},
           {chunked("1;a=" + std::string(2000, 'x')), 431},
           {chunked("0\r\nLong: " + std::string(2000, 'x')), 431},
           {chunked("65\r\n" + std::string(101, 'a') + "\r\n0\r\n\r\n"), 413},
           {chunked("32\r\n" + std::string(50, 'a') + "\r\n33\r\n"), 413},
           {chunked("ffffffffffffffff\r\n"), 413},
       }) {
    check(fixture, bad);
  }
}

BOOST_AUTO_TEST_CASE(sizes_at_the_limit_are_accepted) {
  ServerFixture fixture(echo, small_limits());
  Client client = fixture.connect();
  const std::string body(100, 'b');
  BOOST_TEST(client.exchange(post("/", body)).body == "POST / " + body);
  BOOST_TEST(client.exchange(chunked("64\r\n" + body + "\r\n0\r\n\r\n")).body == "POST / " + body);
  std::string request = get("/" + std::string(499, 'a'), "X-Fill: \r\n");
  request.insert(request.size() - 4, std::string(1000 - request.size(), 'f'));
  BOOST_TEST(request.size() == 1000u);
  BOOST_TEST(client.exchange(request).status == 200);
  BOOST_TEST(client.exchange(with("Content-Length: 2\r\nContent-Length: 2\r\n") + "ab").body ==
             "POST / ab");
}

BOOST_AUTO_TEST_CASE(a_refusal_reaches_a_client_that_is_still_sending) {
  ServerFixture fixture(echo, small_limits());
  Client client = fixture.connect();
  client.send(with("Content-Length: 1000000\r\n"));
  client.send(std::string(1'000'000, 'x'));
  BOOST_TEST(client.receive().status == 413);
}

BOOST_AUTO_TEST_CASE(earlier_pipelined_requests_are_answered_first) {
  ServerFixture fixture(echo, small_limits());
  Client client = fixture.connect();
  client.send(get("/one") + get("/two") + "nonsense\r\n\r\n" + get("/three"));
  BOOST_TEST(client.receive().body == "GET /one ");
  BOOST_TEST(client.receive().body == "GET /two ");
  BOOST_TEST(client.receive().status == 400);
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_SUITE_END()
