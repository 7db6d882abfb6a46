#include "db/postgres/waiters.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <vector>

namespace aegis::db::postgres {

namespace asio = boost::asio;

awaitable<std::shared_ptr<Connection>> Waiters::wait(Clock::time_point deadline,
                                                     Connection::Holder holder) {
  Waiter waiter;
  waiter.deadline = deadline;
  waiter.holder = holder;
  const auto initiate = [this, &waiter](auto&& resume) {
    auto slot = asio::get_associated_cancellation_slot(resume);
    if (slot.is_connected()) {
      slot.assign([this, &waiter](asio::cancellation_type) {
        if (!waiter.is_linked()) return;
        waiter.error =
            std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
        wake(waiter);
      });
    }
    waiter.resume.emplace(std::move(resume));
    list_.push_back(waiter);
  };
  co_await asio::async_initiate<const asio::deferred_t, void()>(initiate, asio::deferred);
  if (waiter.error) std::rethrow_exception(waiter.error);
  co_return std::move(waiter.connection);
}

void Waiters::wake(Waiter& waiter) {
  list_.erase(list_.iterator_to(waiter));
  asio::post(executor_, [resume = std::move(*waiter.resume)]() mutable { std::move(resume)(); });
}

void Waiters::give(const std::shared_ptr<Connection>& connection) {
  Waiter& first = list_.front();
  first.connection = connection;
  connection->holder = first.holder;
  wake(first);
}

void Waiters::give_all(const std::shared_ptr<Connection>& connection) {
  while (!list_.empty()) give(connection);
}

void Waiters::fail(const Error& error) {
  list_.front().error = std::make_exception_ptr(error);
  wake(list_.front());
}

void Waiters::fail_all(const Error& error) {
  while (!list_.empty()) fail(error);
}

void Waiters::shut_down() {
  std::vector<Request::Resume> waiting;
  while (!list_.empty()) {
    Waiter& first = list_.front();
    list_.pop_front();
    waiting.push_back(std::move(*first.resume));
  }
}

}  // namespace aegis::db::postgres
