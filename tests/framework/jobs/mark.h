#pragma once

#include "aegis/core/clock.h"
#include "aegis/jobs/job.h"

/// What jobs did, a row for each time.
struct Effect {
  std::optional<std::int64_t> id{};
  std::int64_t of{};
  std::string what{};

  AEGIS_TABLE(Effect, "effect", (id, primary_key), (of, indexed), (what))
};

/// Leaves one effect, after a while.
struct Mark {
  static constexpr aegis::JobOptions options{
      .max_attempts = 1000,
      .backoff = [](int) -> std::chrono::milliseconds { return std::chrono::milliseconds(1); }};
  std::int64_t number{};

  AEGIS_FIELDS(Mark, (number))
  aegis::awaitable<void> run(aegis::JobContext& job) {
    co_await aegis::Clock::system().sleep_for(std::chrono::milliseconds(number % 20));
    Effect effect{.of = number, .what = "marked"};
    co_await job.db().insert(effect);
  }
};
