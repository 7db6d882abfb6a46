#include "aegis/core/blocking.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/test/unit_test.hpp>
#include <future>
#include <stdexcept>
#include <thread>

#include "run.h"

namespace asio = boost::asio;
using aegis::awaitable;
using aegis::run_blocking;

BOOST_AUTO_TEST_SUITE(blocking)

BOOST_AUTO_TEST_CASE(runs_elsewhere_and_resumes_here) {
  asio::io_context context(1);
  run(context, []() -> awaitable<void> {
    const auto here = std::this_thread::get_id();
    auto where = [] { return std::this_thread::get_id(); };
    const auto there = co_await run_blocking(where);
    BOOST_TEST((there != here));
    BOOST_TEST((std::this_thread::get_id() == here));
  }());
}

BOOST_AUTO_TEST_CASE(moves_in_and_out_what_can_only_move) {
  asio::io_context context(1);
  run(context, []() -> awaitable<void> {
    auto add_one = [value = std::make_unique<int>(41)] {
      return std::make_unique<int>(*value + 1);
    };
    const auto result = co_await run_blocking(std::move(add_one));
    BOOST_TEST(*result == 42);
  }());
}

BOOST_AUTO_TEST_CASE(exception_comes_back) {
  asio::io_context context(1);
  auto fail = [] { throw std::runtime_error("no such host"); };
  BOOST_CHECK_EXCEPTION(run(context, run_blocking(fail)), std::runtime_error,
                        [](const auto& e) { return e.what() == std::string("no such host"); });
}

BOOST_AUTO_TEST_CASE(cancelled_caller_goes_on_and_the_result_is_dropped) {
  asio::io_context context(1);
  std::promise<void> release;
  std::promise<void> dropped;
  struct Result {
    std::promise<void>* dropped;
    explicit Result(std::promise<void>* d) : dropped(d) {}
    Result(Result&& other) noexcept : dropped(std::exchange(other.dropped, nullptr)) {}
    ~Result() {
      if (dropped) dropped->set_value();
    }
  };
  auto wait = [released = release.get_future().share(), &dropped] {
    released.wait();
    return Result(&dropped);
  };
  asio::cancellation_signal cancel;
  bool aborted = false;
  asio::co_spawn(
      context, [](auto f) -> awaitable<void> { co_await run_blocking(std::move(f)); }(wait),
      asio::bind_cancellation_slot(
          cancel.slot(), [&](const std::exception_ptr& error) { aborted = error != nullptr; }));
  context.poll();
  cancel.emit(asio::cancellation_type::terminal);
  context.run();
  BOOST_TEST(aborted);
  release.set_value();
  dropped.get_future().wait();
}

BOOST_AUTO_TEST_CASE(call_may_outlive_its_context) {
  std::promise<void> release;
  std::promise<void> ended;
  auto wait = [released = release.get_future().share(), &ended] {
    released.wait();
    ended.set_value();
  };
  {
    asio::io_context context(1);
    asio::co_spawn(context, run_blocking(wait), [](const std::exception_ptr&) {});
    context.poll();
  }
  release.set_value();
  ended.get_future().wait();
}

BOOST_AUTO_TEST_SUITE_END()
