#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "db/postgres/link.h"

namespace aegis::db::postgres {

/// The server that DATABASE_READ_URL names.
struct Replica {
  explicit Replica(std::shared_ptr<Engine> of) : engine(std::move(of)) {}

  std::shared_ptr<Engine> engine;
  std::atomic<bool> used = false, away = false;  ///< for what is logged

  /// Whether there is a connection on that executor; begins to make one, and waits for nothing.
  bool usable(const boost::asio::any_io_executor& executor);
  void failed(std::string_view why);
};

/// The hold of a session that only reads: on the replica while that answers, otherwise, and from
/// then on, on the primary.
class ReplicaLink final : public Link {
 public:
  ReplicaLink(std::shared_ptr<Replica> replica, std::shared_ptr<Engine> primary,
              const SessionOptions& options);

  awaitable<Outcome> run(const Statement& statement, RowSink& rows) override;
  std::unique_ptr<RowStream> stream(const Statement& statement) override;
  awaitable<void> copy_out(const std::string& sql,
                           FunctionRef<awaitable<void>(std::string_view lines)> take) override;
  awaitable<void> begin() override { return here().begin(); }
  awaitable<void> commit() override { return here().commit(); }
  awaitable<void> rollback() override { return here().rollback(); }
  awaitable<void> savepoint(int depth) override { return here().savepoint(depth); }
  awaitable<void> release(int depth) override { return here().release(depth); }
  awaitable<void> rollback_to(int depth) override { return here().rollback_to(depth); }

  /// The server to use from now on. (No fall-back behind it.)
  Link& choose(const boost::asio::any_io_executor& executor);

 private:
  Link& here();

  std::shared_ptr<Replica> replica_;
  std::shared_ptr<Engine> primary_engine_;
  SessionOptions options_;
  PostgresLink secondary_;
  std::optional<PostgresLink> primary_;  ///< from the moment on that it is used
  bool answered_ = false;                ///< the replica has, at least once
};

}  // namespace aegis::db::postgres
