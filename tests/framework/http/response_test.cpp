// Responses and problems as objects; what they look like on the wire is tested with the server.
#include <boost/test/unit_test.hpp>
#include <optional>

#include "aegis/http/request.h"
#include "aegis/http/response.h"

using namespace aegis;

BOOST_AUTO_TEST_SUITE(responses)

BOOST_AUTO_TEST_CASE(headers_cannot_be_split) {
  Response response;
  for (const std::string& bad :
       {std::string("a\r\nSet-Cookie: x"), std::string("a\nb"), std::string("a\rb"),
        std::string("a\0b", 3), std::string("\x7f")}) {
    BOOST_CHECK_THROW(response.set_header("X-A", bad), Error);
    BOOST_CHECK_THROW(response.set_header(bad, "x"), Error);
    BOOST_CHECK_THROW(response.set_body("", bad), Error);
    BOOST_CHECK_THROW(Response(200, "", bad), Error);
    BOOST_CHECK_THROW(Response::chunked({}, bad), Error);
  }
  BOOST_CHECK_THROW(response.set_header("", "x"), Error);
  BOOST_CHECK_THROW(response.set_header("a b", "x"), Error);
  BOOST_CHECK_THROW(response.set_header("a:", "x"), Error);
  BOOST_TEST(response.headers().empty());
  response.set_header("X-A", "caf\xc3\xa9\t!");
  BOOST_TEST(response.header("x-a") == "caf\xc3\xa9\t!");
}

BOOST_AUTO_TEST_CASE(the_servers_own_headers_cannot_be_set) {
  Response response;
  for (const char* name :
       {"Content-Length", "transfer-encoding", "CONNECTION", "Date", "X-Request-ID"}) {
    BOOST_CHECK_THROW(response.set_header(name, "x"), Error);
  }
  response.set_header("content-type", "text/html");
  BOOST_TEST(response.content_type() == "text/html");
  BOOST_TEST(response.header("Content-Type") == "text/html");
}

BOOST_AUTO_TEST_CASE(set_header_replaces) {
  Response response;
  response.set_header("X-A", "1").set_header("X-B", "2").set_header("x-A", "3");
  BOOST_TEST(response.headers().size() == 2u);
  BOOST_TEST(response.header("X-a") == "3");
  BOOST_TEST(response.header("X-C").empty());
}

BOOST_AUTO_TEST_CASE(a_problem_names_status_title_detail_and_fields) {
  const Response plain = problem(404, "There is no shield 5.");
  BOOST_TEST(plain.status() == 404);
  BOOST_TEST(plain.content_type() == "application/problem+json");
  BOOST_TEST(plain.body() == R"({"type":"about:blank","title":"Not Found","status":404,)"
                             R"("detail":"There is no shield 5."})");
  const Response with_fields = problem(422, "a \"b\"", {{"/name", "is required"}, {"/x~1y", "z"}});
  BOOST_TEST(with_fields.body() ==
             R"({"type":"about:blank","title":"Unprocessable Content","status":422,)"
             R"("detail":"a \"b\"","errors":[{"pointer":"/name","detail":"is required"},)"
             R"({"pointer":"/x~1y","detail":"z"}]})");
}

BOOST_AUTO_TEST_CASE(a_copy_owns_all_it_has) {
  std::optional<Response> original(std::in_place, 201, "{}", "application/geo+json");
  original->set_header("X-A", "1");
  const Response copy = *original;
  original.reset();
  BOOST_TEST(copy.status() == 201);
  BOOST_TEST(copy.body() == "{}");
  BOOST_TEST(copy.content_type() == "application/geo+json");
  BOOST_TEST(copy.header("x-a") == "1");
  BOOST_TEST(Response(Response::text("x")).content_type() == "text/plain; charset=utf-8");
}

BOOST_AUTO_TEST_CASE(exceptions_become_problems) {
  const std::pair<Errc, int> statuses[] = {
      {Errc::malformed, 400},   {Errc::unauthorized, 401}, {Errc::forbidden, 403},
      {Errc::not_found, 404},   {Errc::conflict, 409},     {Errc::too_large, 413},
      {Errc::invalid, 422},     {Errc::rate_limited, 429}, {Errc::internal, 500},
      {Errc::unavailable, 503}, {Errc::timeout, 504},
  };
  for (const auto& [code, status] : statuses) {
    const Response response = problem(Error(code, "what happened"));
    BOOST_TEST(response.status() == status);
    const bool told = response.body().find("what happened") != std::string::npos;
    BOOST_TEST(told ==
               (code != Errc::internal));  // of a fault of ours the log tells, not the reply
  }
  BOOST_TEST(problem(Error(Errc::unavailable, "full")).header("Retry-After") == "1");

  const Response invalid = problem(ValidationError({{"/name", "is required"}}));
  BOOST_TEST(invalid.status() == 422);
  BOOST_TEST(invalid.body().find(R"("errors":[{"pointer":"/name","detail":"is required"}])") !=
             std::string::npos);

  const Response other = problem(std::runtime_error("swordfish"));
  BOOST_TEST(other.status() == 500);
  BOOST_TEST(other.body().find("swordfish") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(request_headers_are_found_in_any_case) {
  Request request;
  request.headers = {{"Accept", "a"}, {"X-B", "1"}, {"x-b", "2"}};
  BOOST_TEST(request.header("ACCEPT") == "a");
  BOOST_TEST(request.header("x-b") == "1");
  BOOST_TEST(request.header("x").empty());
}

BOOST_AUTO_TEST_SUITE_END()
