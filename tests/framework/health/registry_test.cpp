// How the checks are run.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>

#include "aegis/core/error.h"
#include "aegis/health/health.h"

using namespace std::chrono_literals;
using aegis::awaitable;
using aegis::ComponentHealth;
using aegis::HealthReport;
using aegis::HealthStatus;
namespace asio = boost::asio;

BOOST_TEST_DONT_PRINT_LOG_VALUE(HealthStatus)

namespace {

class Check : public aegis::HealthCheck {
 public:
  using Body = std::function<awaitable<ComponentHealth>()>;
  Check(std::string name, Body body) : name_(std::move(name)), body_(std::move(body)) {}
  std::string_view name() const override { return name_; }
  awaitable<ComponentHealth> check() override { return body_(); }

 private:
  std::string name_;
  Body body_;
};

// Something to wait for.
class Event {
 public:
  explicit Event(asio::io_context& context)
      : timer_(context, asio::steady_timer::time_point::max()) {}
  awaitable<void> wait() {
    if (!happened_) co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!happened_) throw aegis::Error(aegis::Errc::internal, "cancelled");
  }
  void happen() {
    happened_ = true;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  bool happened_ = false;
};

struct Checks {
  asio::io_context context{1};
  aegis::HealthRegistry registry{"shields", "1.2.3"};

  void add(std::string name, Check::Body body) {
    registry.add(std::make_unique<Check>(std::move(name), std::move(body)));
  }
  HealthReport ask(std::chrono::milliseconds limit = 60s) {
    std::optional<HealthReport> found;
    asio::co_spawn(context, registry.check(limit),
                   [&](const std::exception_ptr& error, HealthReport report) {
                     if (error) std::rethrow_exception(error);
                     found = std::move(report);
                     context.stop();
                   });
    context.restart();
    context.run();
    return found.value();
  }
};

awaitable<ComponentHealth> fine() {
  co_return ComponentHealth{.message = "fine"};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(health_registry, Checks)

BOOST_AUTO_TEST_CASE(reports_in_the_order_of_addition) {
  add("b", fine);
  add("a", fine);
  const HealthReport report = ask();
  BOOST_TEST(report.service == "shields");
  BOOST_TEST(report.version == "1.2.3");
  BOOST_TEST(report.healthy());
  BOOST_REQUIRE_EQUAL(report.components.size(), 2U);
  BOOST_TEST(report.components[0].name == "b");
  BOOST_TEST(report.components[0].message == "fine");
  BOOST_TEST(report.components[1].name == "a");
}

BOOST_AUTO_TEST_CASE(without_checks_all_is_well) {
  const HealthReport report = ask();
  BOOST_TEST(report.healthy());
  BOOST_TEST(report.components.empty());
  BOOST_TEST(!report.system_info.empty());
}

BOOST_AUTO_TEST_CASE(a_check_that_throws_is_unhealthy_with_its_message) {
  add("thrower", []() -> awaitable<ComponentHealth> {
    throw aegis::Error(aegis::Errc::unavailable, "the disk is on fire");
    co_return ComponentHealth{};
  });
  add("strange", []() -> awaitable<ComponentHealth> {
    throw 42;
    co_return ComponentHealth{};
  });
  add("other", fine);
  const HealthReport report = ask();
  BOOST_TEST(report.components.at(0).name == "thrower");
  BOOST_TEST(report.components.at(0).status == HealthStatus::unhealthy);
  BOOST_TEST(report.components.at(0).message == "the disk is on fire");
  BOOST_TEST(report.components.at(1).status == HealthStatus::unhealthy);
  BOOST_TEST(report.components.at(2).status == HealthStatus::healthy);
}

BOOST_AUTO_TEST_CASE(checks_run_side_by_side) {
  Event first(context), second(context);
  add("first", [&]() -> awaitable<ComponentHealth> {
    first.happen();
    co_await second.wait();
    co_return ComponentHealth{};
  });
  add("second", [&]() -> awaitable<ComponentHealth> {
    second.happen();
    co_await first.wait();
    co_return ComponentHealth{};
  });
  BOOST_TEST(ask().healthy());
}

BOOST_AUTO_TEST_CASE(a_check_that_hangs_is_unhealthy_says_so_and_is_cancelled) {
  Event never(context), ended(context);
  std::string told;
  add("stuck", [&]() -> awaitable<ComponentHealth> {
    try {
      co_await never.wait();
    } catch (const aegis::Error& error) {
      told = error.what();
    }
    ended.happen();
    co_return ComponentHealth{};
  });
  add("other", fine);
  const HealthReport report = ask(5ms);
  BOOST_TEST(report.components.at(0).name == "stuck");
  BOOST_TEST(report.components.at(0).status == HealthStatus::unhealthy);
  BOOST_TEST(report.components.at(0).message == "did not answer within 5 ms");
  BOOST_TEST(report.components.at(0).response_time_ms == 5.0);
  BOOST_TEST(report.components.at(1).status == HealthStatus::healthy);

  asio::co_spawn(context, ended.wait(), [&](const std::exception_ptr&) { context.stop(); });
  context.restart();
  context.run();
  BOOST_TEST(told == "cancelled");
}

BOOST_AUTO_TEST_CASE(a_check_that_ignores_its_cancellation_may_answer_after_the_report) {
  Event later(context);
  bool answered = false;
  add("deaf", [&]() -> awaitable<ComponentHealth> {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await later.wait();
    answered = true;
    co_return ComponentHealth{};
  });
  BOOST_TEST(!ask(5ms).healthy());
  BOOST_TEST(!answered);
  later.happen();
  context.restart();
  context.run();
  BOOST_TEST(answered);
  BOOST_TEST(ask().healthy());  // the next round is its own
}

BOOST_AUTO_TEST_CASE(a_check_may_still_hang_when_all_ends) {
  auto never = std::make_shared<Event>(context);
  add("stuck", [never]() -> awaitable<ComponentHealth> {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await never->wait();
    co_return ComponentHealth{};
  });
  BOOST_TEST(!ask(1ms).healthy());
}

BOOST_AUTO_TEST_CASE(two_checks_of_one_name_are_refused) {
  add("cache", fine);
  BOOST_CHECK_EXCEPTION(add("cache", fine), aegis::Error, [](const aegis::Error& error) {
    return std::string_view(error.what()).find("\"cache\"") != std::string_view::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()
