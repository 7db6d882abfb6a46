// One check for many who ask, and what of it counts for the probe.
#include "app/shared_health.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include "../core/run.h"
#include "../http/handle.h"
#include "app/health_routes.h"

using namespace aegis;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// Counts how often it is asked; answers when told to.
class Check : public HealthCheck {
 public:
  explicit Check(asio::io_context& context)
      : answer(context, asio::steady_timer::time_point::max()) {}

  std::string_view name() const override { return "counted"; }
  awaitable<ComponentHealth> check() override {
    ++asked;
    if (holds) co_await answer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return ComponentHealth{};
  }

  int asked = 0;
  bool holds = false;
  asio::steady_timer answer;
};

class Backlog : public HealthCheck {
 public:
  std::string_view name() const override { return "backlog"; }
  bool shared() const override { return true; }
  awaitable<ComponentHealth> check() override {
    co_return ComponentHealth{.status = HealthStatus::unhealthy, .message = "jobs fail"};
  }
};

struct Fixture {
  asio::io_context context{1};
  HealthRegistry registry{"shields", "1.2.3"};
  Check* check = nullptr;

  Fixture() {
    auto made = std::make_unique<Check>(context);
    check = made.get();
    registry.add(std::move(made));
  }
  static awaitable<void> ask(SharedHealth health, bool& answered) {
    co_await health.report();
    answered = true;
  }
  void run_what_is_ready() {
    while (context.poll() > 0) {
    }
  }
  bool ask(const SharedHealth& health) {
    bool answered = false;
    run(context, ask(health, answered));
    return answered;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(shared_health, Fixture)

BOOST_AUTO_TEST_CASE(those_who_ask_at_a_time_share_one_check) {
  const SharedHealth health(registry, 0ms);
  check->holds = true;
  bool first = false, second = false;
  asio::co_spawn(context, ask(health, first), asio::detached);
  asio::co_spawn(context, ask(health, second), asio::detached);
  run_what_is_ready();
  BOOST_TEST(check->asked == 1);
  BOOST_TEST((!first && !second));
  check->answer.cancel();
  while (!first || !second) context.run_one();
  BOOST_TEST(check->asked == 1);
}

BOOST_AUTO_TEST_CASE(it_is_kept_for_those_who_ask_soon_after) {
  const SharedHealth health(registry, 1h);
  BOOST_TEST(ask(health));
  BOOST_TEST(ask(health));
  BOOST_TEST(check->asked == 1);
}

BOOST_AUTO_TEST_CASE(it_is_not_kept_for_longer) {
  const SharedHealth health(registry, 0ms);
  BOOST_TEST(ask(health));
  BOOST_TEST(ask(health));
  BOOST_TEST(check->asked == 2);
}

BOOST_AUTO_TEST_CASE(the_check_goes_on_when_the_first_who_asked_leaves) {
  const SharedHealth health(registry, 0ms);
  check->holds = true;
  bool first = false, second = false, left = false;
  asio::cancellation_signal leave;
  asio::co_spawn(context, ask(health, first),
                 asio::bind_cancellation_slot(leave.slot(), [&](const std::exception_ptr& error) {
                   left = was_cancelled(error);
                 }));
  asio::co_spawn(context, ask(health, second), asio::detached);
  run_what_is_ready();
  leave.emit(asio::cancellation_type::terminal);
  while (!left) context.run_one();
  check->answer.cancel();
  while (!second) context.run_one();
  BOOST_TEST(!first);
  BOOST_TEST(check->asked == 1);
}

BOOST_AUTO_TEST_CASE(the_probe_leaves_out_what_all_processes_share) {
  registry.add(std::make_unique<Backlog>());
  std::string reason;
  Router router;
  add_health_routes(router, registry, [&] { return reason; }, 0ms);
  BOOST_TEST(testing::get(router, "/health").status() == 503);
  BOOST_TEST(testing::get(router, "/health/probe").status() == 200);
  reason = "the database is being prepared";
  BOOST_TEST(testing::get(router, "/health/probe").status() == 503);
  BOOST_TEST(testing::get(router, "/health").status() == 503);
}

BOOST_AUTO_TEST_SUITE_END()
