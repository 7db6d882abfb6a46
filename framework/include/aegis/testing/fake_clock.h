#pragma once

#include <memory>
#include <optional>

#include "aegis/core/clock.h"

namespace aegis::testing {

/// A clock that stands still until a test moves it. Safe to use from several threads.
///
///     co_await clock.someone_sleeps_until(noon);   // the code under test is where we want it
///     clock.advance(1h);                           // and wakes
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Timestamp start);
  ~FakeClock() override;
  FakeClock(const FakeClock&) = delete;
  FakeClock& operator=(const FakeClock&) = delete;

  Timestamp now() const override;
  awaitable<void> sleep_until(Timestamp moment) override;
  awaitable<void> sleep_for(std::chrono::microseconds duration) override;

  /// Moves the time and wakes every sleeper whose moment has come, in the order of their moments
  /// (those of one executor resume in that order).
  void advance(std::chrono::microseconds duration);

  /// Moves the time from one sleeper's moment to the next: each wakes at its own moment and runs to
  /// its next suspension before time goes on, so that one that sleeps again wakes again.
  awaitable<void> run_for(std::chrono::microseconds duration);

  /// Suspends until somebody sleeps until exactly `moment`; returns at once if somebody does.
  awaitable<void> someone_sleeps_until(Timestamp moment);

  /// The moment that wakes the next sleeper; nothing when nobody sleeps.
  std::optional<Timestamp> next() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // sleepers share it: they may be destroyed after the clock
};

}  // namespace aegis::testing
