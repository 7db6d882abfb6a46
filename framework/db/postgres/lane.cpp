#include "db/postgres/lane.h"

#include <fmt/format.h>

#include <random>

namespace aegis::db::postgres {
namespace {

constexpr Milliseconds grace{2000};  // in which the server itself should have ended a statement

}  // namespace

Lane::Lane(std::shared_ptr<const Config> config, boost::asio::any_io_executor executor)
    : config_(std::move(config)),
      executor_(executor),
      connector_(config_, Role::lane, executor, *this),
      waiters_(std::move(executor)) {}

awaitable<std::shared_ptr<Connection>> Lane::wait_for_connection(std::shared_ptr<void> life,
                                                                 Milliseconds limit) {
  connect(std::move(life));
  return waiters_.wait(Connection::Clock::now() + limit);
}

void Lane::connect(std::shared_ptr<void> life) {
  if (connection_ || connector_.busy()) return;
  wanted_ = true;
  connector_.start(std::move(life));
}

void Lane::connected(Handle handle) {
  connection_ = std::make_shared<Connection>(std::move(handle), *config_, executor_,
                                             static_cast<Connection::Owner&>(*this));
  wanted_ = false;
  connection_->lifetime = jittered(config_->max_lifetime);
  connection_->watch();
  if (connection_) waiters_.give_all(connection_);
}

void Lane::connect_failed(const std::string& message, bool lasting) {
  wanted_ = false;
  if (lasting) waiters_.fail_all({Errc::unavailable, message});
}

void Lane::tick(Connection::Clock::time_point now) {
  while (waiters_.overdue(now)) {
    const std::string& why = connector_.last_failure();
    waiters_.fail(
        {Errc::unavailable,
         why.empty() ? fmt::format("no connection to {}: the server does not answer", config_->url)
                     : why});
  }
  if (!connection_) return;
  if (silent_for(*connection_, config_->lane_timeout + grace)) {
    const auto mute = connection_;  // lost() lets go of it
    mute->lose(lost_connection(
        fmt::format("no answer for {} ms", (config_->lane_timeout + grace).count())));
  } else if (connection_->drained() && expired(*connection_, now)) {
    std::exchange(connection_, nullptr)->close();
  }
}

void Lane::close() {
  connector_.close();
  waiters_.fail_all(closed_error());
  if (const auto last = std::exchange(connection_, nullptr)) last->close();
}

void Lane::shut_down() {
  connector_.close();
  waiters_.shut_down();
  if (const auto last = std::exchange(connection_, nullptr)) last->shut_down();
}

Milliseconds jittered(Milliseconds lifetime) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto tenth = static_cast<unsigned>(lifetime.count() / 10);
  if (tenth == 0) return lifetime;
  return lifetime - Milliseconds(tenth) + Milliseconds(random() % (2 * tenth));
}

bool expired(const Connection& connection, Connection::Clock::time_point now) {
  return connection.lifetime.count() > 0 && now - connection.connected_at > connection.lifetime;
}

bool silent_for(Connection& connection, Milliseconds limit) {
  if (!connection.expects_answer() || connection.progress() != connection.progress_seen) {
    connection.progress_seen = connection.progress();
    connection.silent_ticks = 0;
    return false;
  }
  return ++connection.silent_ticks * tick_interval > limit;
}

}  // namespace aegis::db::postgres
