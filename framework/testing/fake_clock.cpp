#include "aegis/testing/fake_clock.h"

#include <boost/asio/this_coro.hpp>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "core/wakeup.h"

namespace aegis::testing {

namespace asio = boost::asio;

struct FakeClock::Impl {
  // By moment, then by who came first.
  using Key = std::pair<Timestamp, std::uint64_t>;
  using Parked = std::map<Key, Wakeup::Handle>;

  explicit Impl(Timestamp start) : now(start) {}

  // Takes itself off the list when its coroutine ends, in whatever way.
  class Entry {
   public:
    // With the mutex held.
    Entry(std::shared_ptr<Impl> impl, Parked Impl::* list, Timestamp moment, Wakeup::Handle handle)
        : impl_(std::move(impl)), parked_((*impl_).*list), key_(moment, impl_->count++) {
      parked_.emplace(key_, std::move(handle));
    }
    ~Entry() {
      const std::lock_guard lock(impl_->mutex);
      parked_.erase(key_);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    std::shared_ptr<Impl> impl_;
    Parked& parked_;
    Key key_;
  };

  mutable std::mutex mutex;
  Timestamp now;
  std::uint64_t count = 0;
  Parked sleepers;
  Parked watchers;  // in someone_sleeps_until()
};

FakeClock::FakeClock(Timestamp start) : impl_(std::make_shared<Impl>(start)) {}
FakeClock::~FakeClock() = default;

Timestamp FakeClock::now() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->now;
}

awaitable<void> FakeClock::sleep_until(Timestamp moment) {
  const auto wakeup = std::make_shared<Wakeup>(co_await asio::this_coro::executor);
  std::optional<Impl::Entry> entry;
  {
    const std::lock_guard lock(impl_->mutex);
    if (moment <= impl_->now) co_return;
    entry.emplace(impl_, &Impl::sleepers, moment, wakeup->handle());
    for (const auto& [key, watcher] : impl_->watchers) {
      if (key.first == moment) watcher.notify();
    }
  }
  co_await wakeup->wait();
}

awaitable<void> FakeClock::sleep_for(std::chrono::microseconds duration) {
  co_await sleep_until(now() + duration);
}

void FakeClock::advance(std::chrono::microseconds duration) {
  const std::lock_guard lock(impl_->mutex);
  impl_->now += duration;
  auto& sleepers = impl_->sleepers;
  while (!sleepers.empty() && sleepers.begin()->first.first <= impl_->now) {
    sleepers.extract(sleepers.begin()).mapped().notify();
  }
}

awaitable<void> FakeClock::run_for(std::chrono::microseconds duration) {
  const auto executor = co_await asio::this_coro::executor;
  const Timestamp end = now() + duration;
  for (;;) {
    const auto settled = std::make_shared<Wakeup>(executor);
    {
      const std::lock_guard lock(impl_->mutex);
      auto& sleepers = impl_->sleepers;
      if (sleepers.empty() || sleepers.begin()->first.first > end) {
        impl_->now = end;
        co_return;
      }
      impl_->now = sleepers.begin()->first.first;
      const Wakeup::Handle sleeper = sleepers.extract(sleepers.begin()).mapped();
      if (!sleeper.notify([done = settled->handle()] { done.notify(); })) continue;
    }
    co_await settled->wait();
  }
}

awaitable<void> FakeClock::someone_sleeps_until(Timestamp moment) {
  const auto wakeup = std::make_shared<Wakeup>(co_await asio::this_coro::executor);
  std::optional<Impl::Entry> entry;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto found = impl_->sleepers.lower_bound({moment, 0});
    if (found != impl_->sleepers.end() && found->first.first == moment) co_return;
    entry.emplace(impl_, &Impl::watchers, moment, wakeup->handle());
  }
  co_await wakeup->wait();
}

std::optional<Timestamp> FakeClock::next() const {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->sleepers.empty()) return std::nullopt;
  return impl_->sleepers.begin()->first.first;
}

}  // namespace aegis::testing
