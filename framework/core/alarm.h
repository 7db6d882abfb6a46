#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "aegis/core/awaitable.h"

namespace aegis {

/// What one coroutine waits for, and others of the same thread bring about.
class Alarm {
 public:
  explicit Alarm(boost::asio::io_context& context) : timer_(context) {}

  void notify() {
    pending_ = true;
    timer_.cancel();
  }
  /// Until notify(), also an earlier one, or until the time is up.
  awaitable<void> wait(std::chrono::steady_clock::duration time) {
    if (!pending_) {
      timer_.expires_after(time);
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    pending_ = false;
  }

 private:
  boost::asio::steady_timer timer_;
  bool pending_ = false;
};

}  // namespace aegis
