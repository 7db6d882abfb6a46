#include "db/postgres/replica.h"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "aegis/core/log.h"

namespace aegis::db::postgres {
namespace {

constexpr Milliseconds no_patience{1};  // for a connection: the primary has one

/// Whether the primary may do better: the replica is away, or what it read was changed meanwhile.
bool is_the_replicas(const Error& error) {
  return error.code() == Errc::unavailable || error.code() == Errc::try_again;
}

/// Chooses its server when it begins.
class ReplicaStream final : public RowStream {
 public:
  ReplicaStream(ReplicaLink& link, const Statement& statement)
      : link_(link), statement_(statement) {}

  awaitable<bool> next(RowSink& rows) override {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (!stream_) stream_ = link_.choose(executor).stream(statement_);
    co_return co_await stream_->next(rows);
  }

 private:
  ReplicaLink& link_;
  const Statement statement_;
  std::unique_ptr<RowStream> stream_;
};

}  // namespace

bool Replica::usable(const boost::asio::any_io_executor& executor) {
  if (!engine->core(executor).has_lane()) {
    if (used.load(std::memory_order_relaxed)) failed("there is no connection");
    return false;
  }
  used.store(true, std::memory_order_relaxed);
  if (away.load(std::memory_order_relaxed) && away.exchange(false)) {
    log::info("reads go to the replica again", "url", engine->config().url);
  }
  return true;
}

void Replica::failed(std::string_view why) {
  if (away.exchange(true)) return;
  log::warn("reads go to the primary, until the replica is back", "url", engine->config().url,
            "error", why);
}

ReplicaLink::ReplicaLink(std::shared_ptr<Replica> replica, std::shared_ptr<Engine> primary,
                         const SessionOptions& options)
    : replica_(std::move(replica)),
      primary_engine_(std::move(primary)),
      options_(options),
      secondary_(replica_->engine, options, no_patience) {}

Link& ReplicaLink::here() {
  if (primary_) return *primary_;
  return secondary_;
}

awaitable<Outcome> ReplicaLink::run(const Statement& statement, RowSink& rows) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const bool one_transaction = options_.isolation != Isolation::read_committed;
  if (!primary_ && ((one_transaction && answered_) || replica_->usable(executor))) {
    std::optional<Error> failure;
    try {
      const Outcome outcome = co_await secondary_.run(statement, rows);
      answered_ = true;
      co_return outcome;
    } catch (const Error& error) {
      // One transaction cannot go on elsewhere.
      const bool may_move = !answered_ || !one_transaction;
      if (!may_move || !is_the_replicas(error)) throw;
      failure = error;
    }
    if (failure->code() == Errc::unavailable) replica_->failed(failure->what());
    rows.restart();
  }
  if (!primary_) primary_.emplace(primary_engine_, options_);
  co_return co_await primary_->run(statement, rows);
}

Link& ReplicaLink::choose(const boost::asio::any_io_executor& executor) {
  if (!primary_ && !answered_ && !replica_->usable(executor)) {
    primary_.emplace(primary_engine_, options_);
  }
  answered_ = true;
  return here();
}

awaitable<void> ReplicaLink::copy_out(const std::string& sql,
                                      FunctionRef<awaitable<void>(std::string_view)> take) {
  const auto executor = co_await boost::asio::this_coro::executor;
  co_await choose(executor).copy_out(sql, take);
}

std::unique_ptr<RowStream> ReplicaLink::stream(const Statement& statement) {
  return std::make_unique<ReplicaStream>(*this, statement);
}

}  // namespace aegis::db::postgres
