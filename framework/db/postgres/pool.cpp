#include "db/postgres/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "aegis/core/log.h"
#include "db/postgres/lane.h"

namespace aegis::db::postgres {

namespace asio = boost::asio;
using Clock = Connection::Clock;

namespace {

constexpr Milliseconds cleaning_limit{1000};
constexpr Milliseconds grace{2000};  // in which the server itself should have ended a statement
constexpr std::size_t holders_named = 5;

std::string title(const Connection::Holder& holder) {
  if (!holder.origin.empty()) return std::string(holder.origin);
  return fmt::format("{}:{}", holder.where.file_name(), holder.where.line());
}

Milliseconds since(Clock::time_point moment) {
  return std::chrono::duration_cast<Milliseconds>(Clock::now() - moment);
}

}  // namespace

Pool::Pool(std::shared_ptr<const Config> config, asio::any_io_executor executor)
    : config_(std::move(config)),
      executor_(executor),
      connector_(config_, Role::transaction, executor, *this),
      waiters_(std::move(executor)) {}

// Giving and taking.

std::shared_ptr<Connection> Pool::try_acquire(const Connection::Holder& holder) {
  if (idle_.empty()) return nullptr;
  Member& member = *idle_.back();
  idle_.pop_back();
  member.state = Member::State::held;
  member.connection->holder = holder;
  member.connection->holder.since = Clock::now();
  return member.connection;
}

awaitable<std::shared_ptr<Connection>> Pool::acquire(Connection::Holder holder,
                                                     std::shared_ptr<void> life) {
  if (closed_) throw closed_error();
  if (waiters_.size() >= static_cast<std::size_t>(config_->pool_waiters)) throw exhausted();
  life_ = life;
  // The wait comes first: the connector looks whether somebody does.
  if (all_.size() < most()) {
    asio::post(executor_, [this, life] { connector_.start(life); });
  }
  return waiters_.wait(Clock::now() + config_->pool_timeout, holder);
}

void Pool::give_back(std::shared_ptr<Connection> connection) {
  Member* const member = find(*connection);
  if (!member) return;  // it broke
  end_holding(*connection);
  if (closed_) return discard(connection);
  connection->flush();
  if (!connection->alive()) return;
  clean(*member);
}

bool Pool::pass_on(const std::shared_ptr<Connection>& connection) {
  Member* const member = find(*connection);
  if (!member || closed_ || waiters_.empty() || is_surplus(*connection)) return false;
  if (connection->holder.limits_time) return false;  // the COMMIT may take long, too
  end_holding(*connection);
  ++member->committing;
  waiters_.give(connection);
  connection->holder.since = Clock::now();
  return true;
}

void Pool::committed(const Connection& connection) {
  Member* const member = closed_ ? nullptr : find(connection);
  if (member && --member->committing == 0 && std::exchange(member->returned, false)) clean(*member);
}

/// There are more than there should be, or it is too old.
bool Pool::is_surplus(const Connection& connection) const {
  return all_.size() > most() || expired(connection, Clock::now());
}

void Pool::end_holding(Connection& connection) {
  const auto held = since(connection.holder.since);
  if (held > config_->slow_transaction) {
    log::warn("slow transaction: it held a connection", "session", title(connection.holder), "held",
              held);
  }
  connection.holder = {};
}

void Pool::discard(std::shared_ptr<Connection> connection) {
  remove(*connection);
  connection->close();
}

void Pool::offer(Member& member) {
  Connection& connection = *member.connection;
  if (is_surplus(connection)) {
    discard(member.connection);
    if (const auto life = life_.lock(); life && wants_connection()) connector_.start(life);
    return;
  }
  if (!waiters_.empty()) {
    member.state = Member::State::held;
    waiters_.give(member.connection);
    connection.holder.since = Clock::now();
    return;
  }
  member.state = Member::State::idle;
  connection.idle_since = Clock::now();
  idle_.push_back(&member);
}

// Cleaning: the server's own word counts on what state a connection is in.

bool Pool::is_clean(const Connection& connection) const {
  if (config_->rolled_back) {
    return connection.transaction_status() == PQTRANS_INTRANS && !connection.savepoint;
  }
  return connection.transaction_status() == PQTRANS_IDLE;
}

void Pool::clean(Member& member) {
  Connection& connection = *member.connection;
  if (member.committing > 0) {  // to cancel now could hit the COMMIT
    member.returned = true;
    return;
  }
  if (member.state != Member::State::cleaning && connection.copying()) {
    member.state = Member::State::cleaning;
    member.cleaning_since = Clock::now();
    member.rolled_back = false;
    member.cancelling = true;
    asio::co_spawn(executor_, end_copy(member.connection), asio::detached);
    return;
  }
  if (member.state != Member::State::cleaning) {
    if (connection.drained() && is_clean(connection)) return offer(member);
    member.state = Member::State::cleaning;
    member.cleaning_since = Clock::now();
    member.rolled_back = false;
    if (!connection.drained()) {
      member.cancelling = true;
      asio::co_spawn(executor_, cancel_statement(member.connection), asio::detached);
      return connection.tell_when_drained();
    }
  }
  if (!connection.drained() || member.cancelling) return;  // its end calls again
  if (is_clean(connection)) return offer(member);
  if (std::exchange(member.rolled_back, true)) return discard(member.connection);
  if (config_->rolled_back) {
    connection.send("ROLLBACK TO SAVEPOINT session");
    connection.send("RELEASE SAVEPOINT session");
    connection.savepoint = false;
  } else {
    connection.send("ROLLBACK");
  }
  connection.tell_when_drained();
  connection.flush();
}

awaitable<void> Pool::end_copy(std::shared_ptr<Connection> connection) {
  const auto life = life_.lock();
  std::shared_ptr<PGcancel> handle = connection->cancel_handle();
  if (!life || !handle) co_return;
  co_await cancel(std::move(handle));  // it may compute, or wait for a lock
  if (!connection->alive()) co_return;
  try {
    co_await connection->abandon_copy();
  } catch (const std::exception& error) {
    co_return connection->lose(lost_connection(error.what()));
  }
  if (Member* const member = closed_ ? nullptr : find(*connection)) {
    member->cancelling = false;
    clean(*member);
  }
}

awaitable<void> Pool::cancel_statement(std::shared_ptr<Connection> connection) {
  const auto life = life_.lock();
  std::shared_ptr<PGcancel> handle = connection->cancel_handle();
  if (!life || !handle) co_return;
  co_await cancel(std::move(handle));
  // Only now: a cancel that is late would end the next session's statement.
  if (Member* const member = closed_ ? nullptr : find(*connection)) {
    member->cancelling = false;
    clean(*member);
  }
}

void Pool::drained(Connection& connection) {
  if (Member* const member = find(connection)) clean(*member);
}

void Pool::lost(Connection& connection) {
  remove(connection);
  if (const auto life = life_.lock()) connector_.start(life);
}

Pool::Member* Pool::find(const Connection& connection) {
  const auto found = std::ranges::find_if(
      all_, [&](const auto& member) { return member->connection.get() == &connection; });
  return found == all_.end() ? nullptr : found->get();
}

void Pool::remove(const Connection& connection) {
  std::erase_if(idle_, [&](Member* member) { return member->connection.get() == &connection; });
  std::erase_if(all_, [&](const auto& member) { return member->connection.get() == &connection; });
}

// Connecting.

bool Pool::wants_connection() const {
  return !closed_ && !waiters_.empty() && all_.size() < most();
}

void Pool::connected(Handle handle) {
  auto connection = std::make_shared<Connection>(std::move(handle), *config_, executor_,
                                                 static_cast<Connection::Owner&>(*this));
  connection->lifetime = jittered(config_->max_lifetime);
  connection->watch();
  if (!connection->alive()) return;
  all_.push_back(std::make_unique<Member>(Member{std::move(connection), Member::State::held}));
  offer(*all_.back());
}

void Pool::connect_failed(const std::string& message, bool lasting) {
  const bool useless = config_->replica || (lasting && all_.empty());
  if (useless) waiters_.fail_all({Errc::unavailable, message});
}

// Time.

void Pool::tick(Clock::time_point now, const std::shared_ptr<void>& life) {
  while (waiters_.overdue(now)) waiters_.fail(exhausted());
  if (wants_connection()) connector_.start(life);

  std::vector<std::shared_ptr<Connection>> mute, late, old;
  const std::size_t too_many = all_.size() - std::min(all_.size(), most());
  for (const auto& member : all_) {
    Connection& connection = *member->connection;
    const bool limited = config_->statement_timeout.count() > 0 && !connection.holder.limits_time;
    if (member->state == Member::State::cleaning) {
      if (now - member->cleaning_since > cleaning_limit) late.push_back(member->connection);
    } else if (limited && silent_for(connection, config_->statement_timeout + grace)) {
      mute.push_back(member->connection);
    } else if (member->state == Member::State::idle && !config_->rolled_back) {
      const bool unused =
          config_->idle_timeout.count() > 0 && now - connection.idle_since > config_->idle_timeout;
      if (unused || expired(connection, now) || old.size() < too_many) {
        old.push_back(member->connection);
      }
    }
  }
  for (const auto& connection : mute) {
    // It may be only we who do not hear it.
    asio::co_spawn(executor_, cancel(connection->cancel_handle()), asio::detached);
    connection->lose(lost_connection(
        fmt::format("no answer for {} ms", (config_->statement_timeout + grace).count())));
  }
  for (const auto& connection : late) discard(connection);
  for (const auto& connection : old) discard(connection);
}

Error Pool::exhausted() const {
  std::string holders;
  std::size_t held = 0;
  for (const auto& member : all_) {
    if (member->state != Member::State::held || ++held > holders_named) continue;
    const auto& holder = member->connection->holder;
    holders += fmt::format("{}{} for {} ms", holders.empty() ? "" : ", ", title(holder),
                           since(holder.since).count());
  }
  if (held > holders_named) holders += fmt::format(" and {} more", held - holders_named);
  const std::string& why = connector_.last_failure();
  if (all_.empty()) {
    return {Errc::unavailable,
            why.empty()
                ? fmt::format("no connection to {} within {} ms: the server does not answer",
                              config_->url, config_->pool_timeout.count())
                : why};
  }
  return {Errc::unavailable,
          fmt::format("no database connection was free within {} ms (each core has {}; {} sessions "
                      "wait; held by: {}){}{}",
                      config_->pool_timeout.count(), most(), waiters_.size(),
                      holders.empty() ? "nobody" : holders, why.empty() ? "" : "; ", why)};
}

Pool::Figures Pool::figures() const {
  Figures figures{.open = all_.size(), .idle = idle_.size(), .waiting = waiters_.size()};
  figures.held = static_cast<std::size_t>(std::ranges::count_if(
      all_, [](const auto& member) { return member->state == Member::State::held; }));
  return figures;
}

// The end.

void Pool::close() {
  closed_ = true;
  connector_.close();
  waiters_.fail_all(closed_error());
  idle_.clear();
  for (const auto& member : std::exchange(all_, {})) member->connection->close();
}

void Pool::shut_down() {
  closed_ = true;
  connector_.close();
  waiters_.shut_down();
  idle_.clear();
  for (const auto& member : std::exchange(all_, {})) member->connection->shut_down();
}

}  // namespace aegis::db::postgres
