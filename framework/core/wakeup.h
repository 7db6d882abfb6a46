#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "aegis/core/awaitable.h"

namespace aegis {

/// One coroutine waits, any thread wakes it, even one that comes after the coroutine or its whole
/// context is gone. Owned by the coroutine; what wakes it holds a Handle.
class Wakeup : public std::enable_shared_from_this<Wakeup> {
  struct Life;
  class LifeService;

 public:
  class Handle {
   public:
    /// Ends the wait, from any thread; false when the waiter is gone. `then`, if given, runs on the
    /// waiter's executor when the woken coroutine has suspended again.
    bool notify(std::function<void()> then = nullptr) const;

   private:
    friend class Wakeup;
    std::shared_ptr<Life> life_;
    std::weak_ptr<Wakeup> wakeup_;
  };

  explicit Wakeup(const boost::asio::any_io_executor& executor);

  Handle handle();

  /// Suspends until notify(), also an earlier one; on the executor given to the constructor.
  /// Throws boost::system::system_error (operation_aborted) when cancelled.
  awaitable<void> wait();

 private:
  std::shared_ptr<Life> life_;
  boost::asio::steady_timer timer_;  // never expires: its cancellation is the signal
  bool notified_ = false;            // used on the executor only
};

}  // namespace aegis
