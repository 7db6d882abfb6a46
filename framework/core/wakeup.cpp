#include "core/wakeup.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <utility>

namespace aegis {

namespace asio = boost::asio;

/// Whether a context still takes work. The lock keeps it alive while something is posted to it.
struct Wakeup::Life {
  std::mutex mutex;
  bool alive = true;
};

class Wakeup::LifeService final : public asio::execution_context::service {
 public:
  using key_type = LifeService;
  inline static asio::execution_context::id id;

  explicit LifeService(asio::execution_context& context) : service(context) {}

  std::shared_ptr<Life> life = std::make_shared<Life>();

 private:
  void shutdown() override {
    const std::lock_guard lock(life->mutex);
    life->alive = false;
  }
};

Wakeup::Wakeup(const asio::any_io_executor& executor)
    : life_(asio::use_service<LifeService>(asio::query(executor, asio::execution::context)).life),
      timer_(executor, asio::steady_timer::time_point::max()) {}

Wakeup::Handle Wakeup::handle() {
  Handle handle;
  handle.life_ = life_;
  handle.wakeup_ = weak_from_this();
  return handle;
}

awaitable<void> Wakeup::wait() {
  if (notified_) co_return;
  const auto [error] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!notified_) throw boost::system::system_error(error);
}

bool Wakeup::Handle::notify(std::function<void()> then) const {
  const std::lock_guard lock(life_->mutex);
  if (!life_->alive) return false;
  const auto wakeup = wakeup_.lock();  // released before the lock is, so while the context lives
  if (!wakeup) return false;
  const auto executor = wakeup->timer_.get_executor();
  asio::post(executor, [weak = wakeup_, executor, then = std::move(then)]() mutable {
    if (const auto waiting = weak.lock()) {
      waiting->notified_ = true;
      waiting->timer_.cancel();
    }
    if (then) asio::post(executor, std::move(then));  // comes behind the resumption
  });
  return true;
}

}  // namespace aegis
