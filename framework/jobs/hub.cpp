#include "jobs/hub.h"

#include <map>

namespace aegis::jobs {
namespace {

struct Hubs {
  std::mutex mutex;
  std::map<const db::Driver*, std::weak_ptr<Hub>> all;
};

Hubs& hubs() {
  static Hubs instance;
  return instance;
}

}  // namespace

std::shared_ptr<Hub> Hub::of(db::Driver& driver) {
  const std::lock_guard lock(hubs().mutex);
  std::erase_if(hubs().all, [](const auto& entry) { return entry.second.expired(); });
  auto& known = hubs().all[&driver];
  auto hub = known.lock();
  if (!hub) known = hub = std::make_shared<Hub>();
  return hub;
}

std::shared_ptr<Hub> Hub::find(db::Driver& driver) {
  const std::lock_guard lock(hubs().mutex);
  const auto found = hubs().all.find(&driver);
  return found == hubs().all.end() ? nullptr : found->second.lock();
}

Cell Hub::now() const {
  if (!clock_) return {};
  return Timestamp(std::chrono::floor<std::chrono::milliseconds>(clock_->now()));
}

std::shared_ptr<void> Hub::listen(Listener listener) {
  const std::lock_guard lock(mutex_);
  const auto at = listeners_.insert(listeners_.end(), std::move(listener));
  return std::shared_ptr<void>(nullptr, [this, at](void*) {
    const std::lock_guard end(mutex_);
    listeners_.erase(at);
  });
}

void Hub::tell(std::string_view queue, bool later) const {
  const std::lock_guard lock(mutex_);
  for (const auto& listener : listeners_) listener(queue, later);
}

}  // namespace aegis::jobs
