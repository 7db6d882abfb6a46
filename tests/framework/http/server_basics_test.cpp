// What every client may expect: methods, keep-alive, pipelining, request ids, framing.
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

BOOST_AUTO_TEST_SUITE_END()
