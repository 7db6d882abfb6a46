#pragma once

#include <memory>

#include "db/postgres/connector.h"
#include "db/postgres/waiters.h"

namespace aegis::db::postgres {

/// A connection that reads outside of transactions share. Connects when it is needed, and again
/// when it breaks.
class Lane final : Connection::Owner, Connector::Owner {
 public:
  Lane(std::shared_ptr<const Config> config, boost::asio::any_io_executor executor);

  /// Null while there is none.
  const std::shared_ptr<Connection>& connection() const { return connection_; }
  std::size_t pending() const { return connection_ ? connection_->pending() : 0; }
  /// Connects, and waits for it up to `limit`. Throws Error(unavailable).
  awaitable<std::shared_ptr<Connection>> wait_for_connection(std::shared_ptr<void> life,
                                                             Milliseconds limit);
  /// Connects, unless there is a connection; waits for nothing.
  void connect(std::shared_ptr<void> life);

  /// Regularly: gives up on what does not answer, renews what is old. `life` as for Connector.
  void tick(Connection::Clock::time_point now);
  bool resting() const { return !connection_ && waiters_.empty() && !connector_.busy(); }
  void close();
  void shut_down();

 private:
  bool wants_connection() const override { return !connection_ && (wanted_ || !waiters_.empty()); }
  void connected(Handle handle) override;
  void connect_failed(const std::string& message, bool lasting) override;
  void drained(Connection&) override {}
  void lost(Connection&) override { connection_.reset(); }

  std::shared_ptr<const Config> config_;
  boost::asio::any_io_executor executor_;
  Connector connector_;
  Waiters waiters_;
  std::shared_ptr<Connection> connection_;
  bool wanted_ = false;  ///< though nobody waits
};

/// A lifetime of about that, so that connections do not all end together; 0: none.
Milliseconds jittered(Milliseconds lifetime);
/// Whether the connection is too old; not for one with no limit.
bool expired(const Connection& connection, Connection::Clock::time_point now);
/// Counts ticks in which something was due and nothing came; whether these make `limit`.
bool silent_for(Connection& connection, Milliseconds limit);

constexpr Milliseconds tick_interval{100};

}  // namespace aegis::db::postgres
