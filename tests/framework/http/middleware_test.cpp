// What runs around handlers.
#include <boost/test/unit_test.hpp>

#include "aegis/core/log.h"
#include "handle.h"

using namespace aegis;
using namespace aegis::testing;

namespace {

awaitable<std::string> hello() {
  co_return "hello";
}

/// Adds `name` to the header X-Trail, on the way out.
Middleware trail(std::string name) {
  return [name](Request& request, Next next) -> awaitable<Response> {
    Response reply = co_await next(request);
    reply.set_header("X-Trail", std::string(reply.header("X-Trail")) + name);
    co_return reply;
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_first_added_is_the_outermost) {
  Router router;
  router.get("/", hello);
  router.use(trail("a"));
  router.use(trail("b"));
  router.use(trail("c"));
  const Response reply = get(router, "/");
  BOOST_TEST(reply.body() == "hello");
  BOOST_TEST(reply.header("X-Trail") == "cba");
}

BOOST_AUTO_TEST_CASE(it_runs_around_what_the_router_answers_itself) {
  Router router;
  router.get("/", hello);
  router.use(trail("a"));
  BOOST_TEST(get(router, "/nowhere").header("X-Trail") == "a");
  BOOST_TEST(get(router, "/nowhere").status() == 404);
  BOOST_TEST(get(router, "/%zz").status() == 400);
  const Response wrong = post(router, "/", "");
  BOOST_TEST(wrong.status() == 405);
  BOOST_TEST(wrong.header("X-Trail") == "a");
  BOOST_TEST(wrong.header("Allow") == "GET, HEAD, OPTIONS");
}

BOOST_AUTO_TEST_CASE(it_may_answer_itself) {
  Router router;
  bool reached = false;
  router.get("/", [&]() -> awaitable<void> {
    reached = true;
    co_return;
  });
  router.use(trail("a"));
  router.use([](Request& request, Next next) -> awaitable<Response> {
    if (request.header("Authorization").empty()) co_return problem(401, "Who are you?");
    co_return co_await next(request);
  });
  BOOST_TEST(get(router, "/").status() == 401);
  BOOST_TEST(get(router, "/").header("X-Trail") == "a");
  BOOST_TEST(!reached);
  const Sent sent{.target = "/", .headers = {{"Authorization", "yes"}}};
  BOOST_TEST(handle(router, sent).status() == 204);
  BOOST_TEST(reached);
}

BOOST_AUTO_TEST_CASE(it_knows_the_route) {
  Router router;
  router.get("/shields/{id}", [](Path<"id", int>) -> awaitable<void> { co_return; });
  std::vector<std::string> seen;
  router.use([&](Request& request, Next next) -> awaitable<Response> {
    seen.push_back(request.endpoint ? request.endpoint->path : "none");
    co_return co_await next(request);
  });
  get(router, "/shields/1");
  get(router, "/x");
  BOOST_TEST(seen == (std::vector<std::string>{"/shields/{id}", "none"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(it_sees_replies_not_exceptions_of_handlers) {
  log::Capture logged;
  Router router;
  router.get("/", []() -> awaitable<void> {
    throw std::runtime_error("cold forge");
    co_return;
  });
  router.use(trail("a"));
  const Response reply = get(router, "/");
  BOOST_TEST(reply.status() == 500);
  BOOST_TEST(reply.header("X-Trail") == "a");
}

BOOST_AUTO_TEST_CASE(what_it_throws_becomes_a_reply) {
  log::Capture logged;
  Router router;
  router.get("/", hello);
  router.use([](Request&, Next) -> awaitable<Response> {
    throw Error(Errc::rate_limited, "Not so fast.");
    co_return Response();
  });
  BOOST_TEST(get(router, "/").status() == 429);
  router.use([](Request&, Next) -> awaitable<Response> { throw std::logic_error("before"); });
  BOOST_TEST(get(router, "/nowhere").status() == 429);
}
