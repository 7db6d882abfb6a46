// The separately compiled Boost libraries link and work together with what the library uses.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/test/unit_test.hpp>

namespace asio = boost::asio;

BOOST_AUTO_TEST_CASE(a_coroutine_runs_to_its_end) {
  asio::io_context io{1};
  bool done = false;
  auto work = [&]() -> asio::awaitable<void> {
    co_await asio::post(io, asio::use_awaitable);
    done = true;
  };
  asio::co_spawn(io, work(), asio::detached);
  io.run();
  BOOST_TEST(done);
}

BOOST_AUTO_TEST_CASE(beast_parses_a_request) {
  boost::beast::http::request_parser<boost::beast::http::string_body> parser;
  boost::beast::error_code error;
  parser.put(asio::buffer(std::string_view{"GET / HTTP/1.1\r\n\r\n"}), error);
  BOOST_TEST(!error);
  BOOST_TEST(parser.is_done());
}
