#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <optional>

#include "db/postgres/connection.h"

namespace aegis::db::postgres {

/// Coroutines that wait for a connection, first come, first served.
class Waiters {
 public:
  using Clock = Connection::Clock;

  explicit Waiters(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  /// Suspends until give() or fail(). A cancellation ends the wait with
  /// system_error(operation_aborted), unless the connection is on its way already.
  awaitable<std::shared_ptr<Connection>> wait(Clock::time_point deadline,
                                              Connection::Holder holder = {});

  bool empty() const { return list_.empty(); }
  std::size_t size() const { return list_.size(); }

  /// To the one who has waited longest.
  void give(const std::shared_ptr<Connection>& connection);
  void give_all(const std::shared_ptr<Connection>& connection);
  /// To the one who has waited longest.
  void fail(const Error& error);
  void fail_all(const Error& error);
  /// Whether the one who has waited longest has waited enough.
  bool overdue(Clock::time_point now) const {
    return !list_.empty() && list_.front().deadline <= now;
  }
  /// Destroys those who wait, as their context ends.
  void shut_down();

 private:
  struct Waiter : boost::intrusive::list_base_hook<> {
    Clock::time_point deadline{};
    Connection::Holder holder{};
    std::shared_ptr<Connection> connection{};
    std::exception_ptr error{};
    std::optional<Request::Resume> resume{};
  };

  void wake(Waiter& waiter);

  boost::asio::any_io_executor executor_;
  boost::intrusive::list<Waiter> list_;
};

}  // namespace aegis::db::postgres
