#pragma once

#include <cstdlib>
#include <string>

#include "aegis/core/clock.h"
#include "aegis/jobs/job.h"

/// The kind that these tests enqueue; it is never run.
struct Tick {
  int number = 0;

  AEGIS_FIELDS(Tick, (number))
  aegis::awaitable<void> run(aegis::JobContext&) { co_return; }
};

/// One that is unique as long as it is not finished.
struct UniqueTick {
  static constexpr aegis::JobOptions options{.unique = {.by = aegis::UniqueBy::arguments}};
  int number = 0;

  AEGIS_FIELDS(UniqueTick, (number))
  aegis::awaitable<void> run(aegis::JobContext&) { co_return; }
};

/// A clock that goes fast, and is wrong by a little.
class FastClock final : public aegis::Clock {
 public:
  FastClock(aegis::Timestamp epoch, int speed, std::chrono::milliseconds skew)
      : epoch_(epoch), speed_(speed), skew_(skew) {}

  static FastClock from_environment() {
    const auto number = [](const char* name) {
      const char* given = std::getenv(name);
      return given != nullptr ? std::atoll(given) : 0;
    };
    return {aegis::Timestamp(std::chrono::microseconds(number("AEGIS_TEST_EPOCH"))),
            static_cast<int>(number("AEGIS_TEST_SPEED")),
            std::chrono::milliseconds(number("AEGIS_TEST_SKEW"))};
  }

  aegis::Timestamp now() const override {
    return epoch_ + speed_ * (Clock::system().now() - epoch_) + skew_;
  }
  aegis::awaitable<void> sleep_until(aegis::Timestamp moment) override {
    return sleep_for(moment - now());
  }
  aegis::awaitable<void> sleep_for(std::chrono::microseconds duration) override {
    return Clock::system().sleep_for(duration / speed_);
  }

 private:
  aegis::Timestamp epoch_;
  int speed_;
  std::chrono::milliseconds skew_;
};
