#include "aegis/core/clock.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <vector>

#include "aegis/testing/fake_clock.h"
#include "run.h"

namespace asio = boost::asio;
using aegis::awaitable;
using aegis::Clock;
using aegis::Timestamp;
using aegis::testing::FakeClock;
using namespace std::chrono_literals;

namespace {

constexpr Timestamp noon = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 12h;

struct Fixture {
  asio::io_context context{1};
  FakeClock clock{noon};  // dies before those who still sleep on it
  std::vector<std::string> events;

  awaitable<void> sleep_then_note(std::chrono::microseconds duration, std::string name) {
    co_await clock.sleep_for(duration);
    events.push_back(name + " at +" + std::to_string((clock.now() - noon) / 1s) + "s");
  }

  void start(awaitable<void> task) {
    asio::co_spawn(context, std::move(task), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
  }

  // Until every coroutine waits for something else than its turn.
  void settle() {
    context.restart();
    context.poll();
  }
};

using Events = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(system_clock_moves_and_sleeps) {
  asio::io_context context(1);
  Clock& clock = Clock::system();
  const Timestamp before = clock.now();
  run(context, [](Clock& c) -> awaitable<void> {
    co_await c.sleep_for(2ms);
    co_await c.sleep_until(c.now() + 2ms);
    co_await c.sleep_until(c.now() - 1h);
  }(clock));
  BOOST_TEST((clock.now() - before >= 4ms));
}

BOOST_FIXTURE_TEST_SUITE(fake_clock, Fixture)

BOOST_AUTO_TEST_CASE(stands_still_until_moved) {
  start(sleep_then_note(10s, "a"));
  settle();
  BOOST_TEST((clock.now() == noon));
  BOOST_TEST((clock.next() == noon + 10s));
  clock.advance(9s);
  settle();
  BOOST_TEST(events.empty());
  clock.advance(1s);
  BOOST_TEST(!clock.next().has_value());
  settle();
  BOOST_TEST(events == Events{"a at +10s"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(wakes_in_order_of_moments_then_of_arrival) {
  start(sleep_then_note(3s, "c"));
  start(sleep_then_note(1s, "a"));
  start(sleep_then_note(2s, "b1"));
  start(sleep_then_note(2s, "b2"));
  start(sleep_then_note(9s, "later"));
  settle();
  clock.advance(5s);
  settle();
  BOOST_TEST(events == (Events{"a at +5s", "b1 at +5s", "b2 at +5s", "c at +5s"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(run_for_stops_at_each_moment_on_the_way) {
  start([](Fixture& f) -> awaitable<void> {
    for (int i = 0; i < 3; ++i) co_await f.sleep_then_note(2s, "tick");
  }(*this));
  start(sleep_then_note(3s, "once"));
  run(context, [](Fixture& f) -> awaitable<void> {
    co_await asio::post(asio::use_awaitable);  // the others go to sleep first
    co_await f.clock.run_for(5s);
  }(*this));
  BOOST_TEST(events == (Events{"tick at +2s", "once at +3s", "tick at +4s"}),
             boost::test_tools::per_element());
  BOOST_TEST((clock.now() == noon + 5s));
}

BOOST_AUTO_TEST_CASE(the_past_does_not_suspend) {
  run(context, [](Fixture& f) -> awaitable<void> {
    co_await f.clock.sleep_until(noon);
    co_await f.clock.sleep_for(-1s);
  }(*this));
}

BOOST_AUTO_TEST_CASE(someone_sleeps_until_answers_for_those_already_asleep_and_those_to_come) {
  start(sleep_then_note(1s, "early"));
  start([](Fixture& f) -> awaitable<void> {
    co_await f.clock.someone_sleeps_until(noon + 1s);
    f.events.push_back("saw early");
    co_await f.clock.someone_sleeps_until(noon + 2s);
    f.events.push_back("saw late");
  }(*this));
  settle();
  start(sleep_then_note(3s, "not asked for"));
  settle();
  BOOST_TEST(events == Events{"saw early"}, boost::test_tools::per_element());
  start(sleep_then_note(2s, "late"));
  settle();
  BOOST_TEST(events == (Events{"saw early", "saw late"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(cancelled_sleeper_throws_and_is_forgotten) {
  asio::cancellation_signal cancel;
  boost::system::error_code seen;
  asio::co_spawn(context, sleep_then_note(1s, "never"),
                 asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& error) {
                   try {
                     std::rethrow_exception(error);
                   } catch (const boost::system::system_error& e) {
                     seen = e.code();
                   }
                 }));
  settle();
  cancel.emit(asio::cancellation_type::terminal);
  settle();
  BOOST_TEST(seen == asio::error::operation_aborted);
  BOOST_TEST(!clock.next().has_value());
  clock.advance(1s);
  settle();
  BOOST_TEST(events.empty());
}

BOOST_AUTO_TEST_CASE(sleeper_may_die_with_its_context) {
  {
    asio::io_context short_lived(1);
    asio::co_spawn(short_lived, sleep_then_note(1s, "never"), [](const std::exception_ptr&) {});
    asio::co_spawn(short_lived, clock.someone_sleeps_until(noon + 7s),
                   [](const std::exception_ptr&) {});
    short_lived.poll();
    BOOST_TEST(clock.next().has_value());
  }
  BOOST_TEST(!clock.next().has_value());
  start(sleep_then_note(7s, "a"));
  settle();
  clock.advance(10s);
  settle();
  BOOST_TEST(events.size() == 1);
}

BOOST_AUTO_TEST_CASE(moved_by_one_thread_while_another_sleeps) {
  constexpr int turns = 1000;
  std::thread sleeper([this] {
    run(context, [](Fixture& f) -> awaitable<void> {
      for (int i = 1; i <= turns; ++i) co_await f.clock.sleep_until(noon + i * 1s);
    }(*this));
  });
  asio::io_context own(1);
  run(own, [](Fixture& f) -> awaitable<void> {
    for (int i = 1; i <= turns; ++i) {
      co_await f.clock.someone_sleeps_until(noon + i * 1s);
      f.clock.advance(1s);
    }
  }(*this));
  sleeper.join();
  BOOST_TEST((clock.now() == noon + turns * 1s));
}

BOOST_AUTO_TEST_CASE(run_for_waits_for_sleepers_of_other_threads) {
  std::atomic<int> ticks = 0;
  std::thread sleeper([&] {
    run(context, [](Fixture& f, std::atomic<int>& count) -> awaitable<void> {
      for (; count < 100; ++count) co_await f.clock.sleep_for(1s);
      co_await f.clock.sleep_for(1h);
    }(*this, ticks));
  });
  asio::io_context own(1);
  run(own, [](Fixture& f) -> awaitable<void> {
    co_await f.clock.someone_sleeps_until(noon + 1s);
    co_await f.clock.run_for(100s);
  }(*this));
  BOOST_TEST(ticks == 100);
  clock.advance(1h);
  sleeper.join();
}

BOOST_AUTO_TEST_SUITE_END()
