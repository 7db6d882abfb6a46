// Our parser against Beast's own, over seeds and mutations of them, and over all ways to cut them.
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>

#include "parser_check.h"

using namespace aegis;
using namespace aegis::test;

namespace {

const std::vector<std::string> seeds{
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /plaintext?a=b HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: x/1.0 (y; z)\r\n"
    "Accept: */*\r\nConnection: keep-alive\r\n\r\n",
    "POST /shields HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n6;a=b;c=\"d e\"\r\n world\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "PUT /x HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive, x\r\n\r\nabc",
    "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
    "DELETE http://host:80/x/y?z HTTP/1.1\r\nHost: host\r\nX-Request-Id: abc-1\r\n\r\n",
    "GET http://host?q HTTP/1.1\r\nHost: host\r\nConnection: close\r\n\r\n",
    "PATCH /%F0%9F%9B%A1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n1",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\nab",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: "
    "chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
    "chunked\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n c\r\nY: d\r\n\t\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA: \t padded \t \r\nB:\r\nC:x\r\nD: caf\xc3\xa9\r\n\r\n",
};

const std::vector<std::string> tokens{
    "\r\n",
    "\r",
    "\n",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "=",
    "\"",
    std::string(1, '\0'),
    "\x7f",
    "\xff",
    "0",
    "1",
    "ffffffffffffffff",
    "HTTP/1.1",
    "HTTP/1.0",
    "Host: b\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "\r\n\r\n",
    "0\r\n\r\n",
    "3\r\nabc\r\n",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "chunked",
    "identity",
    "http://",
    "*",
    "\r\n ",
    "\r\n\t",
    "Content-Length: 18446744073709551616\r\n",
};

class Mutations {
 public:
  explicit Mutations(unsigned seed) : random_(seed) {}

  std::string next() {
    std::string text = pick(seeds);
    for (std::size_t n = 1 + below(4); n > 0; --n) mutate(text);
    return text;
  }
  std::vector<std::size_t> cuts(std::size_t size) {
    std::vector<std::size_t> cuts(1 + below(6));
    for (std::size_t& cut : cuts) cut = below(size + 1);
    std::sort(cuts.begin(), cuts.end());
    return cuts;
  }

 private:
  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  void mutate(std::string& text) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t rest = text.size() - at;
    switch (below(6)) {
      case 0:
        text.insert(at, pick(tokens));
        break;
      case 1:
        text.erase(at, 1 + below(4));
        break;
      case 2:
        text.replace(at, std::min<std::size_t>(rest, 1), 1, static_cast<char>(below(256)));
        break;
      case 3:
        text.replace(at, std::min(rest, 1 + below(6)), pick(tokens));
        break;
      case 4:
        text.insert(at, text.substr(below(text.size() + 1), below(40)));
        break;
      default: {
        const std::string& other = pick(seeds);
        text.replace(at, rest, other.substr(below(other.size())));
      }
    }
  }

  std::mt19937 random_;
};

std::vector<std::size_t> every_position(std::size_t size) {
  std::vector<std::size_t> all(size);
  std::iota(all.begin(), all.end(), 1);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parser)

BOOST_AUTO_TEST_CASE(agrees_with_beast_on_the_seeds) {
  for (const std::string& seed : seeds) {
    BOOST_TEST_CONTEXT(seed) {
      BOOST_TEST(disagreement(seed) == "");
    }
  }
  BOOST_TEST(ours(seeds[0]).method == "GET");
  BOOST_TEST(ours(seeds[2]).body == "hello");
  BOOST_TEST(ours(seeds[3]).body == "hello world");
}

BOOST_AUTO_TEST_CASE(agrees_with_beast_on_every_beginning_of_the_seeds) {
  for (const std::string& seed : seeds) {
    for (std::size_t size = 1; size < seed.size(); ++size) {
      const std::string_view beginning = std::string_view(seed).substr(0, size);
      BOOST_TEST_CONTEXT(beginning) {
        BOOST_TEST(disagreement(beginning) == "");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(does_not_mind_where_the_seeds_are_cut) {
  for (const std::string& seed : seeds) {
    BOOST_TEST_CONTEXT(seed) {
      for (std::size_t cut = 0; cut <= seed.size(); ++cut) {
        BOOST_TEST(disagreement(seed, std::array{cut}) == "", "cut at " << cut);
      }
      BOOST_TEST(disagreement(seed, every_position(seed.size())) == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(agrees_with_beast_on_mutations_in_any_pieces) {
  Mutations mutations(20261121);
  int complete = 0, refused = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string bytes = mutations.next();
    if (bytes.empty()) continue;
    const Verdict verdict = ours(bytes);
    complete += verdict.kind == Verdict::Kind::complete;
    refused += verdict.kind == Verdict::Kind::refused;
    std::string wrong = disagreement(bytes);
    if (wrong.empty()) wrong = disagreement(bytes, mutations.cuts(bytes.size()));
    if (wrong.empty()) wrong = disagreement(bytes, every_position(bytes.size()));
    BOOST_REQUIRE_MESSAGE(wrong.empty(), wrong << "\nbytes:\n" << bytes);
  }
  BOOST_TEST(complete > 5'000);  // the mutations are neither too tame nor too wild
  BOOST_TEST(refused > 5'000);
}

BOOST_AUTO_TEST_CASE(views_follow_when_the_input_moves) {
  const std::string body(200'000, 'b');
  const std::string bytes =
      "POST /target?query HTTP/1.1\r\nHost: a\r\nX: value\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  const http::RequestLimits limits{1000, body.size()};
  std::vector<std::size_t> cuts;
  for (std::size_t cut = 0; cut < bytes.size(); cut += 997) cuts.push_back(cut);
  const Verdict verdict = ours(bytes, cuts, limits);
  BOOST_TEST((verdict.kind == Verdict::Kind::complete));
  BOOST_TEST(verdict.target == "/target?query");
  BOOST_TEST(verdict.fields[1].second == "value");
  BOOST_TEST((verdict.body == body));
}

BOOST_AUTO_TEST_SUITE_END()
