#include "app/shared_health.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "core/wakeup.h"

namespace aegis {

namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

struct Round {
  bool ended() const { return report || failure; }

  std::shared_ptr<const HealthReport> report{};
  std::exception_ptr failure{};
  SteadyClock::time_point ended_at{};
  std::vector<Wakeup::Handle> waiting{};
};

}  // namespace

struct SharedHealth::State {
  State(const HealthRegistry& checks, std::chrono::milliseconds kept)
      : registry(checks), keep(kept) {}

  bool must_begin() const {
    return !round ||
           (round->ended() && (round->failure || SteadyClock::now() - round->ended_at >= keep));
  }

  // A coroutine of its own: whoever asked first may be cancelled.
  static awaitable<void> run(std::shared_ptr<State> state, std::shared_ptr<Round> round) {
    std::shared_ptr<const HealthReport> report;
    std::exception_ptr failure;
    try {
      report = std::make_shared<const HealthReport>(co_await state->registry.check());
    } catch (...) {
      failure = std::current_exception();
    }
    std::vector<Wakeup::Handle> waiting;
    {
      const std::lock_guard lock(state->mutex);
      round->report = std::move(report);
      round->failure = failure;
      round->ended_at = SteadyClock::now();
      waiting.swap(round->waiting);
    }
    for (const auto& one : waiting) one.notify();
  }

  const HealthRegistry& registry;
  const std::chrono::milliseconds keep;
  std::mutex mutex;
  std::shared_ptr<Round> round{};  ///< the newest
};

SharedHealth::SharedHealth(const HealthRegistry& registry, std::chrono::milliseconds keep)
    : state_(std::make_shared<State>(registry, keep)) {}

awaitable<std::shared_ptr<const HealthReport>> SharedHealth::report() const {
  const auto state = state_;
  const auto executor = co_await asio::this_coro::executor;
  const auto wakeup = std::make_shared<Wakeup>(executor);
  std::shared_ptr<Round> round;
  bool begins = false;
  {
    const std::lock_guard lock(state->mutex);
    begins = state->must_begin();
    if (begins) state->round = std::make_shared<Round>();
    round = state->round;
    if (round->ended()) co_return round->report;
    round->waiting.push_back(wakeup->handle());
  }
  if (begins) asio::co_spawn(executor, State::run(state, round), asio::detached);
  co_await wakeup->wait();
  if (round->failure) std::rethrow_exception(round->failure);
  co_return round->report;
}

}  // namespace aegis
