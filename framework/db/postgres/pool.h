#pragma once

#include <memory>
#include <vector>

#include "db/postgres/connector.h"
#include "db/postgres/waiters.h"

namespace aegis::db::postgres {

/// The connections of one core for transactions: each is one session's at a time. Grows when
/// somebody waits; the one used last is used next, so that spare ones grow idle and are closed.
class Pool final : Connection::Owner, Connector::Owner {
 public:
  struct Figures {
    std::size_t open = 0, idle = 0, held = 0, waiting = 0;
  };

  Pool(std::shared_ptr<const Config> config, boost::asio::any_io_executor executor);

  /// A free connection; null when there is none.
  std::shared_ptr<Connection> try_acquire(const Connection::Holder& holder);
  /// Waits for one up to pool_timeout. Throws Error(unavailable) that names who holds them.
  awaitable<std::shared_ptr<Connection>> acquire(Connection::Holder holder,
                                                 std::shared_ptr<void> life);
  /// Takes it back in whatever state it is: what runs is cancelled and what was begun is rolled
  /// back, before the next one gets it.
  void give_back(std::shared_ptr<Connection> connection);
  /// Gives it to the one who waits longest, if anybody does, while the COMMIT of its session is on
  /// its way: the server goes on to the next transaction without a pause. Whether it did; then
  /// committed() is called once the COMMIT is answered.
  bool pass_on(const std::shared_ptr<Connection>& connection);
  void committed(const Connection& connection);
  /// As give_back(), for one that should serve nobody any more.
  void discard(std::shared_ptr<Connection> connection);

  Figures figures() const;

  void tick(Connection::Clock::time_point now, const std::shared_ptr<void>& life);
  bool resting() const { return all_.empty() && waiters_.empty() && !connector_.busy(); }
  void close();
  void shut_down();

 private:
  struct Member {
    std::shared_ptr<Connection> connection;
    enum class State : std::uint8_t { idle, held, cleaning } state;
    Connection::Clock::time_point cleaning_since{};
    bool rolled_back = false;  ///< ROLLBACK was sent
    bool cancelling = false;   ///< PQcancel() runs
    int committing = 0;        ///< COMMITs of earlier sessions that are not answered
    bool returned = false;     ///< meanwhile; it is cleaned when they are
  };

  bool wants_connection() const override;
  void connected(Handle handle) override;
  void connect_failed(const std::string& message, bool lasting) override;
  void drained(Connection& connection) override;
  void lost(Connection& connection) override;

  /// How many connections there may be.
  std::size_t most() const { return config_->rolled_back ? 1 : config_->pool_size_per_core(); }
  Member* find(const Connection& connection);
  void remove(const Connection& connection);
  void end_holding(Connection& connection);
  bool is_surplus(const Connection& connection) const;
  void offer(Member& member);
  void clean(Member& member);
  bool is_clean(const Connection& connection) const;
  awaitable<void> end_copy(std::shared_ptr<Connection> connection);
  awaitable<void> cancel_statement(std::shared_ptr<Connection> connection);
  Error exhausted() const;

  std::shared_ptr<const Config> config_;
  boost::asio::any_io_executor executor_;
  Connector connector_;
  Waiters waiters_;
  std::vector<std::unique_ptr<Member>> all_;
  std::vector<Member*> idle_;  ///< used last: last
  std::weak_ptr<void> life_;
  bool closed_ = false;
};

}  // namespace aegis::db::postgres
