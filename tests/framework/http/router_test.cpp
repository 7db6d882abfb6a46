// Which handler gets a request, and what is answered when none does.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>

#include "aegis/core/log.h"
#include "handle.h"

using namespace aegis;
using namespace aegis::testing;

namespace {

std::size_t allocations = 0;

/// A handler that answers `name` and the path's parameters.
auto named(std::string name) {
  return [name](const Request& request) -> awaitable<std::string> {
    std::string text = name;
    for (const auto& parameter : request.path_parameters) {
      text += " " + std::string(parameter.name) + "=" + parameter.value;
    }
    co_return text;
  };
}

/// What adding a route to `router` is refused with.
template <class F>
std::string refusal(Router& router, std::string_view path, F handler) {
  try {
    router.get(path, handler);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == Errc::internal));
    return error.what();
  }
  return "accepted";
}

}  // namespace

#if !__has_feature(thread_sanitizer)  // whose runtime has operators of its own
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

BOOST_AUTO_TEST_SUITE(routing)

BOOST_AUTO_TEST_CASE(a_literal_goes_before_a_parameter_and_that_before_the_rest) {
  Router router;
  router.get("/shields/{id}", named("one"));
  router.get("/shields/new", named("new"));
  router.get("/shields/{id}/runes", named("runes"));
  router.get("/shields/{path*}", named("rest"));
  router.get("/", named("root"));

  BOOST_TEST(get(router, "/").body() == "root");
  BOOST_TEST(get(router, "/shields/new").body() == "new");
  BOOST_TEST(get(router, "/shields/newer").body() == "one id=newer");
  BOOST_TEST(get(router, "/shields/new/runes").body() == "runes id=new");
  BOOST_TEST(get(router, "/shields/7/runes").body() == "runes id=7");
  BOOST_TEST(get(router, "/shields/7/a/b").body() == "rest path=7/a/b");
  BOOST_TEST(get(router, "/shields/7/runes?a=/x").body() == "runes id=7");
}

BOOST_AUTO_TEST_CASE(a_literal_that_lacks_the_method_leaves_it_to_a_parameter) {
  Router router;
  router.post("/shields/new", named("new"));
  router.get("/shields/{id}", named("one"));
  BOOST_TEST(get(router, "/shields/new").body() == "one id=new");
  BOOST_TEST(post(router, "/shields/new", "").body() == "new");
  BOOST_TEST(handle(router, {.method = Method::del, .target = "/shields/new"}).header("Allow") ==
             "GET, HEAD, POST, OPTIONS");
}

BOOST_AUTO_TEST_CASE(a_trailing_slash_makes_another_path) {
  Router router;
  router.get("/x", named("without"));
  router.get("/y/", named("with"));
  BOOST_TEST(get(router, "/x").status() == 200);
  BOOST_TEST(get(router, "/x/").status() == 404);
  BOOST_TEST(get(router, "/y/").status() == 200);
  BOOST_TEST(get(router, "/y").status() == 404);
}

BOOST_AUTO_TEST_CASE(empty_segments_are_no_parameters) {
  Router router;
  router.get("/shields/{id}", named("one"));
  router.get("/files/{path*}", named("file"));
  for (const auto* path :
       {"/shields/", "//shields/1", "/shields//", "/files/", "/files//etc", "/files/a//b"}) {
    BOOST_TEST_CONTEXT(path) BOOST_TEST(get(router, path).status() == 404);
  }
  BOOST_TEST(get(router, "/files/a/").body() == "file path=a/");
}

BOOST_AUTO_TEST_CASE(segments_are_decoded_after_the_split) {
  Router router;
  router.get("/shields/{name}", named("one"));
  router.get("/größe", named("size"));
  BOOST_TEST(get(router, "/shields/Dragon%20Scale").body() == "one name=Dragon Scale");
  BOOST_TEST(get(router, "/shields/a%2Fb").body() == "one name=a/b");
  BOOST_TEST(get(router, "/shields/a+b").body() == "one name=a+b");
  BOOST_TEST(get(router, "/shields/%C3%A9%e2%82%ac").body() == "one name=é€");
  BOOST_TEST(get(router, "/%73hields/x").body() == "one name=x");
  BOOST_TEST(get(router, "/gr%C3%B6%C3%9Fe").body() == "size");
  BOOST_TEST(get(router, "/größe").body() == "size");
}

BOOST_AUTO_TEST_CASE(a_path_that_cannot_be_read_is_refused) {
  Router router;
  router.get("/shields/{name}", named("one"));
  router.get("/files/{path*}", named("file"));
  for (const auto* path :
       {"/shields/%", "/shields/%2", "/shields/%zz", "/shields/%FF", "/shields/\xff",
        "/shields/a%00b", "/shields/%C3", "/%zz", "shields/x", ""}) {
    BOOST_TEST_CONTEXT(path) {
      const Response reply = get(router, path);
      BOOST_TEST(reply.status() == 400);
      BOOST_TEST(reply.content_type() == "application/problem+json");
    }
  }
}

BOOST_AUTO_TEST_CASE(no_way_up_reaches_a_handler) {
  Router router;
  router.get("/files/{path*}", named("file"));
  router.get("/files/{a}/{b}", named("two"));
  for (const auto* path :
       {"/files/..", "/files/../etc/passwd", "/files/a/../../etc", "/files/%2e%2e/etc",
        "/files/.%2E/etc", "/files/./a", "/files/%2e/a", "/files/a/..", "/.."}) {
    BOOST_TEST_CONTEXT(path) BOOST_TEST(get(router, path).status() == 400);
  }
  // An encoded slash would make a way up out of one segment.
  BOOST_TEST(get(router, "/files/x/y/..%2f..%2fetc").status() == 404);
  BOOST_TEST(get(router, "/files/%2fetc").status() == 404);
  BOOST_TEST(get(router, "/files/a/...").body() == "two a=a b=...");
  BOOST_TEST(get(router, "/files/a/b/..c").body() == "file path=a/b/..c");
}

BOOST_AUTO_TEST_CASE(an_unknown_path_is_named) {
  Router router;
  router.get("/shields", named("list"));
  const Response reply = get(router, "/shieldz?x=1");
  BOOST_TEST(reply.status() == 404);
  BOOST_TEST(reply.content_type() == "application/problem+json");
  BOOST_TEST(detail_of(reply) == "There is nothing at /shieldz.");
}

BOOST_AUTO_TEST_CASE(a_wrong_method_is_told_the_right_ones) {
  Router router;
  router.get("/shields", named("list"));
  router.post("/shields", named("forge"));
  const Response reply = handle(router, {.method = Method::del, .target = "/shields"});
  BOOST_TEST(reply.status() == 405);
  BOOST_TEST(reply.header("Allow") == "GET, HEAD, POST, OPTIONS");
  BOOST_TEST(detail_of(reply) == "/shields takes GET, HEAD, POST and OPTIONS.");
  BOOST_TEST(handle(router, {.method = Method::other, .target = "/shields"}).status() == 405);
  BOOST_TEST(handle(router, {.method = Method::other, .target = "/x"}).status() == 404);
}

BOOST_AUTO_TEST_CASE(options_are_the_routers) {
  Router router;
  router.get("/shields/{id}", named("one"));
  router.patch("/shields/{id}", named("change"));
  const Response reply = handle(router, {.method = Method::options, .target = "/shields/1"});
  BOOST_TEST(reply.status() == 204);
  BOOST_TEST(reply.header("Allow") == "GET, HEAD, PATCH, OPTIONS");
  BOOST_TEST(reply.body().empty());
  BOOST_TEST(handle(router, {.method = Method::options, .target = "/x"}).status() == 404);
  BOOST_TEST(handle(router, {.method = Method::options, .target = "*"}).status() == 204);
  BOOST_TEST(get(router, "*").status() == 400);
}

BOOST_AUTO_TEST_CASE(head_goes_to_get) {
  Router router;
  router.get("/shields", named("list"));
  router.post("/only-post", named("post"));
  const Response reply = handle(router, {.method = Method::head, .target = "/shields"});
  BOOST_TEST(reply.status() == 200);
  BOOST_TEST(reply.body() == "list");  // for its length: the server sends no body
  BOOST_TEST(handle(router, {.method = Method::head, .target = "/only-post"}).status() == 405);
}

BOOST_AUTO_TEST_CASE(bad_routes_are_refused_at_the_start) {
  Router router;
  const auto any = named("x");
  router.get("/shields/{id}", any);
  BOOST_TEST(refusal(router, "/shields/{name}", any) ==
             "GET /shields/{name} is already taken by GET /shields/{id}.");
  BOOST_TEST(refusal(router, "shields", any) == "GET shields: a pattern starts with a slash.");
  BOOST_TEST(refusal(router, "", any) == "GET : a pattern starts with a slash.");
  BOOST_TEST(refusal(router, "/a/{x}/{x}", any) == "GET /a/{x}/{x}: the pattern names {x} twice.");
  BOOST_TEST(refusal(router, "/a/{x*}/b", any) ==
             "GET /a/{x*}/b: {x*} takes all the rest: nothing may follow.");
  for (const auto* pattern : {"/a/{}", "/a/{*}", "/a/{1x}", "/a/{x y}", "/a/{x", "/a/x}", "/a/b{x}",
                              "/a//b", "/a/%20", "/a b", "/a/..", "/a?x", "/a#x", "/a/\x01"}) {
    BOOST_TEST_CONTEXT(pattern) {
      const std::string why = refusal(router, pattern, any);
      BOOST_TEST(why.starts_with("GET " + std::string(pattern) + ": "));
      BOOST_TEST(why.ends_with("."));
    }
  }
  BOOST_TEST(refusal(router, "/b/{name}", [](Path<"id", int>) -> awaitable<void> { co_return; }) ==
             "GET /b/{name}: the handler takes Path<\"id\">, and the pattern has no {id}.");
  BOOST_TEST(refusal(router, "/c/{unused}", any) == "accepted");
  BOOST_TEST(router.endpoints().size() == 2);
}

BOOST_AUTO_TEST_CASE(a_literal_route_allocates_nothing) {
  Router router;
  router.get("/shields", named("list"));
  router.get("/shields/{id}", named("one"));
  const Sent sent{.target = "/shields"};
  Request request = request_of(sent);
  const std::size_t before = allocations;
  const auto task = router.handle(request);  // has found the route
  BOOST_TEST(allocations - before <= 1);     // the coroutine's frame
  BOOST_TEST(request.endpoint == router.endpoints()[0].get());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(failures)

BOOST_AUTO_TEST_CASE(what_a_handler_throws_becomes_a_reply) {
  log::Capture logged;
  Router router;
  router.get("/absent", []() -> awaitable<void> {
    throw Error(Errc::not_found, "There is no shield 7.");
    co_return;
  });
  router.get("/invalid", []() -> awaitable<void> {
    throw ValidationError({{"/name", "is taken"}});
    co_return;
  });
  BOOST_TEST(get(router, "/absent").status() == 404);
  BOOST_TEST(detail_of(get(router, "/absent")) == "There is no shield 7.");
  BOOST_TEST(get(router, "/invalid").status() == 422);
  BOOST_TEST(errors_of(get(router, "/invalid")) == "/name: is taken");
  BOOST_TEST(logged.lines().empty());
}

BOOST_AUTO_TEST_CASE(faults_of_ours_are_logged_and_not_told) {
  log::Capture logged;
  Router router;
  router.get("/shields/{id}", [](Path<"id", int>) -> awaitable<void> {
    throw std::runtime_error("the forge is cold");
    co_return;
  });
  router.get("/odd", []() -> awaitable<void> {
    throw 42;
    co_return;
  });
  router.get("/sql", []() -> awaitable<void> {
    throw Error(Errc::internal, "SQL failed: no such column: sword, in: SELECT sword FROM shield");
    co_return;
  });
  const Response reply = get(router, "/shields/7");
  BOOST_TEST(reply.status() == 500);
  BOOST_TEST(reply.body().find("forge") == std::string::npos);
  BOOST_REQUIRE(logged.lines().size() == 1);
  for (const auto* part : {"test-request", "GET", "/shields/{id}", "the forge is cold", "500"}) {
    BOOST_TEST_CONTEXT(part) BOOST_TEST(logged.contains(part));
  }
  BOOST_TEST(get(router, "/odd").status() == 500);
  BOOST_TEST(logged.lines().size() == 2);

  const Response sql = get(router, "/sql");
  BOOST_TEST(sql.status() == 500);
  BOOST_TEST(detail_of(sql) ==
             "The server failed; its log says why, under the request id test-request.");
  BOOST_TEST(logged.contains("SELECT sword FROM shield"));
}

BOOST_AUTO_TEST_CASE(a_cancellation_is_not_replied_to) {
  Router router;
  bool waiting = false;
  router.get("/slow", [&]() -> awaitable<void> {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                    boost::asio::steady_timer::time_point::max());
    waiting = true;
    co_await timer.async_wait(boost::asio::use_awaitable);
  });
  router.get("/stubborn", [&]() -> awaitable<void> {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                    boost::asio::steady_timer::time_point::max());
    waiting = true;
    try {
      co_await timer.async_wait(boost::asio::use_awaitable);
    } catch (const std::exception&) {
      throw Error(Errc::internal, "I was interrupted");
    }
  });
  for (const auto* path : {"/slow", "/stubborn"}) {
    for (const bool behind_middleware : {false, true}) {
      if (behind_middleware && std::string_view(path) == "/slow") {
        router.use([](Request& request, Next next) { return next(request); });
      }
      BOOST_TEST_CONTEXT(path) {
        waiting = false;
        boost::asio::io_context io{1};
        boost::asio::cancellation_signal signal;
        const Sent sent{.target = path};
        Request request = request_of(sent);
        std::exception_ptr failure;
        boost::asio::co_spawn(
            io, router.handle(request),
            boost::asio::bind_cancellation_slot(
                signal.slot(), [&](std::exception_ptr thrown, Response) { failure = thrown; }));
        while (!waiting) io.run_one();
        signal.emit(boost::asio::cancellation_type::terminal);
        io.run();
        BOOST_REQUIRE(failure);
        BOOST_CHECK_EXCEPTION(std::rethrow_exception(failure), boost::system::system_error,
                              [](const auto& error) {
                                return error.code() == boost::asio::error::operation_aborted;
                              });
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_aborted_operation_of_an_uncancelled_request_is_a_fault) {
  log::Capture logged;
  Router router;
  router.get("/x", []() -> awaitable<void> {
    throw boost::system::system_error(boost::asio::error::operation_aborted);
    co_return;
  });
  BOOST_TEST(get(router, "/x").status() == 500);
}

BOOST_AUTO_TEST_SUITE_END()
