#pragma once

#include <chrono>

#include "aegis/core/awaitable.h"
#include "aegis/core/time.h"

namespace aegis {

/// Where code gets the time from, so that tests can move it: see aegis/testing/fake_clock.h.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual Timestamp now() const = 0;

  /// Suspends until `moment`; returns at once when it is past. Resumes on the caller's executor.
  /// Throws boost::system::system_error (operation_aborted) when cancelled, as any Asio operation.
  virtual awaitable<void> sleep_until(Timestamp moment) = 0;

  /// Suspends for `duration`, whatever is done to the time of day meanwhile.
  virtual awaitable<void> sleep_for(std::chrono::microseconds duration) = 0;

  /// The machine's clock.
  static Clock& system();
};

}  // namespace aegis
