#include "aegis/core/runtime.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "aegis/core/log.h"

namespace asio = boost::asio;
using namespace aegis;
using namespace std::chrono_literals;

namespace {

constexpr auto never = asio::steady_timer::time_point::max();

awaitable<void> sleep_forever() {
  asio::steady_timer timer(co_await asio::this_coro::executor, never);
  co_await timer.async_wait(asio::use_awaitable);
}

awaitable<void> nap() {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
  co_await timer.async_wait(asio::use_awaitable);
}

awaitable<void> begin_shutdown(Runtime& runtime) {
  runtime.shutdown();
  co_return;
}

RuntimeOptions options(std::size_t threads, std::chrono::milliseconds timeout = 10s) {
  return {.threads = threads, .shutdown_timeout = timeout, .handle_signals = false};
}

struct Quiet {
  log::Capture capture;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(runtime, Quiet)

BOOST_AUTO_TEST_CASE(as_many_cores_as_the_machine_unless_told) {
  BOOST_TEST(Runtime().size() == available_cores());
  BOOST_TEST(Runtime(options(3)).size() == 3);
}

BOOST_AUTO_TEST_CASE(each_core_has_its_thread_and_coroutines_stay_there) {
  Runtime runtime(options(3));
  std::array<std::set<std::thread::id>, 3> seen;
  std::array<std::string, 3> names;
  std::atomic<int> left = 3;
  const auto visit = [](Runtime& r, std::set<std::thread::id>& ids, std::string& name,
                        std::atomic<int>& to_come) -> awaitable<void> {
    for (int i = 0; i < 10; ++i) {
      ids.insert(std::this_thread::get_id());
      co_await nap();
    }
    std::array<char, 16> buffer{};
    ::pthread_getname_np(::pthread_self(), buffer.data(), buffer.size());
    name = buffer.data();
    if (--to_come == 0) r.shutdown();
  };
  for (std::size_t i = 0; i < 3; ++i) runtime.spawn(i, visit(runtime, seen[i], names[i], left));
  BOOST_TEST(runtime.run() == 0);
  std::set<std::thread::id> all;
  for (const auto& ids : seen) {
    BOOST_TEST(ids.size() == 1);
    all.insert(ids.begin(), ids.end());
  }
  BOOST_TEST(all.size() == 3);
  BOOST_TEST(seen[0].count(std::this_thread::get_id()) == 1);
  BOOST_TEST(names[1] == "aegis-io-1");
  BOOST_TEST(names[2] == "aegis-io-2");
}

BOOST_AUTO_TEST_CASE(escaped_exception_is_logged_and_not_the_end) {
  Runtime runtime(options(2));
  bool went_on = false;
  runtime.spawn(
      0,
      []() -> awaitable<void> {
        co_await nap();
        throw std::runtime_error("the anvil broke");
      }(),
      "forge");
  asio::post(runtime.executor(1), [] { throw std::runtime_error("from a plain handler"); });
  runtime.spawn(0, [](Runtime& r, bool& flag) -> awaitable<void> {
    for (int i = 0; i < 10; ++i) co_await nap();
    flag = true;
    r.shutdown();
  }(runtime, went_on));
  BOOST_TEST(runtime.run() == 0);
  BOOST_TEST(went_on);
  BOOST_TEST(capture.contains(R"("task":"forge","error":"the anvil broke")"));
  BOOST_TEST(capture.contains("from a plain handler"));
}

BOOST_AUTO_TEST_CASE(stages_of_a_shutdown_come_in_order) {
  Runtime runtime(options(2));
  std::vector<std::string> events;
  const auto hook = [&](std::string name) {
    return [&events, name = std::move(name)]() -> awaitable<void> {
      events.push_back(name + " begins");
      co_await nap();
      events.push_back(name + " ends");
    };
  };
  runtime.on_stop("database", hook("database"));
  runtime.on_stop("cache", hook("cache"));
  runtime.on_drain("http", [&]() -> awaitable<void> {
    BOOST_TEST(runtime.draining());
    events.push_back("http begins");
    co_await nap();
    co_await nap();
    events.push_back("drained");
  });
  runtime.on_drain("jobs", [&]() -> awaitable<void> {
    events.push_back("jobs begins");
    co_await nap();
  });
  BOOST_TEST(!runtime.draining());
  runtime.spawn(1, begin_shutdown(runtime));
  BOOST_TEST(runtime.run() == 0);
  const std::vector<std::string> expected = {"http begins",  "jobs begins", "drained",
                                             "cache begins", "cache ends",  "database begins",
                                             "database ends"};
  BOOST_TEST(events == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(others_threads_end_before_coroutines_are_destroyed) {
  bool destroyed = false;
  std::vector<bool> seen;
  Runtime runtime(options(2));  // destroyed first: it may call once more
  runtime.before_destruction([&] { seen.push_back(destroyed); });
  runtime.spawn(1, [](Runtime& r, bool& flag) -> awaitable<void> {
    const struct Witness {
      bool& flag;
      ~Witness() { flag = true; }
    } witness{flag};
    r.stop();
    co_await sleep_forever();
  }(runtime, destroyed));
  runtime.run();
  BOOST_TEST(destroyed);
  BOOST_REQUIRE(!seen.empty());
  BOOST_TEST(!seen.front());
}

BOOST_AUTO_TEST_CASE(failing_hook_is_logged_and_the_rest_still_runs) {
  Runtime runtime(options(1));
  bool closed = false;
  runtime.on_drain("http", []() -> awaitable<void> {
    throw std::runtime_error("acceptor gone");
    co_return;
  });
  runtime.on_drain("plain", [] {
    throw std::runtime_error("thrown before any coroutine");
    return nap();
  });
  runtime.on_stop("database", [&]() -> awaitable<void> {
    closed = true;
    co_return;
  });
  runtime.shutdown();
  BOOST_TEST(runtime.run() == 0);
  BOOST_TEST(closed);
  BOOST_TEST(capture.contains(R"("hook":"http","error":"acceptor gone")"));
  BOOST_TEST(capture.contains(R"("hook":"plain","error":"thrown before any coroutine")"));
}

BOOST_AUTO_TEST_CASE(hooks_that_outlast_the_limit_are_abandoned_and_named) {
  Runtime runtime(options(2, 20ms));
  bool closed = false;
  runtime.on_drain("slow uploads", sleep_forever);
  runtime.on_drain("jobs", sleep_forever);
  runtime.on_drain("quick", nap);
  runtime.on_stop("database", [&]() -> awaitable<void> {
    co_await nap();
    closed = true;
  });
  runtime.on_stop("stuck", sleep_forever);
  runtime.shutdown();
  BOOST_TEST(runtime.run() == 0);
  BOOST_TEST(capture.contains(R"("still_running":"slow uploads, jobs")"));
  BOOST_TEST(capture.contains(R"("still_running":"stuck")"));
  BOOST_TEST(closed);
}

BOOST_AUTO_TEST_CASE(exit_code_of_the_first_shutdown_counts) {
  Runtime runtime(options(1));
  runtime.shutdown(3);
  runtime.shutdown(4);
  BOOST_TEST(runtime.run() == 3);
}

BOOST_AUTO_TEST_CASE(stop_skips_the_stages) {
  Runtime runtime(options(2));
  bool ran = false;
  runtime.on_drain("http", [&]() -> awaitable<void> {
    ran = true;
    co_return;
  });
  runtime.spawn(1, [](Runtime& r) -> awaitable<void> {
    co_await nap();
    r.stop();
    co_await sleep_forever();
  }(runtime));
  BOOST_TEST(runtime.run() == 0);
  BOOST_TEST(!ran);
}

// What a coroutine holds may belong to another core; destruction must not care about the order.
BOOST_AUTO_TEST_CASE(suspended_coroutines_are_destroyed_whatever_they_hold) {
  static std::atomic<int> alive;
  alive = 0;
  struct Counted {
    Counted() { ++alive; }
    ~Counted() { --alive; }
  };
  {
    Runtime runtime(options(2));
    for (std::size_t core : {0U, 1U}) {
      runtime.spawn(core, [](Runtime& r, std::size_t own) -> awaitable<void> {
        Counted counted;
        asio::steady_timer timer(r.executor(1 - own), never);
        co_await timer.async_wait(asio::use_awaitable);
      }(runtime, core));
      runtime.spawn(core, sleep_forever());
    }
    runtime.spawn(0, [](Runtime& r) -> awaitable<void> {
      co_await nap();
      co_await nap();
      r.stop();
    }(runtime));
    runtime.run();
    BOOST_TEST(alive == 0);
    runtime.spawn(1, [](Runtime& r) -> awaitable<void> {  // too late: destroyed, never run
      const Counted counted;
      co_await sleep_forever();
      r.stop();
    }(runtime));
  }
  BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_CASE(may_be_destroyed_without_having_run) {
  Runtime runtime(options(2));
  runtime.spawn(0, sleep_forever());
  runtime.spawn(1, begin_shutdown(runtime));
  runtime.shutdown();
}

BOOST_AUTO_TEST_CASE(sigpipe_is_ignored) {
  std::signal(SIGPIPE, SIG_DFL);
  const Runtime runtime(options(1));
  std::raise(SIGPIPE);
}

BOOST_AUTO_TEST_SUITE_END()
