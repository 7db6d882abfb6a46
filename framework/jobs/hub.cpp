#include "jobs/hub.h"

#include <fmt/format.h>

#include <map>
#include <random>

#include "db/driver.h"

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

// Hexadecimal and a space: nobody has to know how long it is.
std::string Hub::new_origin() {
  std::random_device random;
  return fmt::format("{:08x}{:08x} ", random(), random());
}

std::optional<std::string_view> Hub::heard(std::string_view news) const {
  if (news.starts_with(origin_)) return std::nullopt;
  return news.substr(news.find(' ') + 1);
}

void tell(db::Driver& driver, const boost::asio::any_io_executor& executor, std::string_view queue,
          bool later) {
  const auto hub = Hub::find(driver);
  if (hub) hub->tell(queue, later);
  if (later || driver.notifies_in_process()) return;
  driver.announce(executor, news_channel, hub ? hub->news_of(queue) : fmt::format(" {}", queue));
}

}  // namespace aegis::jobs
