#include "aegis/core/clock.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace aegis {
namespace {

namespace asio = boost::asio;

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }

  awaitable<void> sleep_until(Timestamp moment) override {
    asio::system_timer timer(co_await asio::this_coro::executor, moment);
    co_await timer.async_wait(asio::use_awaitable);
  }

  awaitable<void> sleep_for(std::chrono::microseconds duration) override {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
  }
};

}  // namespace

Clock& Clock::system() {
  static SystemClock clock;
  return clock;
}

}  // namespace aegis
