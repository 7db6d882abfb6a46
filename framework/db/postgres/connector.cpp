#include "db/postgres/connector.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <utility>

#include "aegis/core/log.h"
#include "db/postgres/errors.h"

namespace aegis::db::postgres {

namespace asio = boost::asio;

namespace {

constexpr Milliseconds first_pause{50};
constexpr Milliseconds longest_pause{400};

/// So that not all processes of a service come back at the same moment.
Milliseconds with_jitter(Milliseconds pause) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return pause + Milliseconds(random() % static_cast<unsigned>(pause.count() / 4 + 1));
}

}  // namespace

Connector::Connector(std::shared_ptr<const Config> config, Role role,
                     asio::any_io_executor executor, Owner& owner)
    : config_(std::move(config)), role_(role), owner_(owner), pause_(std::move(executor)) {}

void Connector::start(std::shared_ptr<void> life) {
  if (closed_ || std::exchange(busy_, true)) return;
  asio::co_spawn(pause_.get_executor(), work(std::move(life)), asio::detached);
}

void Connector::close() {
  closed_ = true;
  pause_.cancel();
}

awaitable<void> Connector::work(std::shared_ptr<void> life) {
  while (!closed_ && owner_.wants_connection()) {
    if (next_pause_.count() > 0) {
      pause_.expires_after(with_jitter(next_pause_));
      co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
      if (closed_ || !owner_.wants_connection()) break;
    }
    Attempt attempt = co_await connect(config_, role_);
    if (closed_) break;
    if (attempt.handle) {
      if (!last_failure_.empty()) log::info("connected to the database again", "url", config_->url);
      last_failure_.clear();
      next_pause_ = {};
      owner_.connected(std::move(attempt.handle));
      continue;
    }
    const ConnectFailure failure = describe_connect_failure(attempt.failure, *config_);
    if (failure.message != last_failure_) log::warn("no database", "error", failure.message);
    last_failure_ = failure.message;
    next_pause_ = std::clamp(next_pause_ * 2, first_pause, longest_pause);
    owner_.connect_failed(failure.message, failure.lasting);
  }
  busy_ = false;
}

}  // namespace aegis::db::postgres
