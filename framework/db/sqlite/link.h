#pragma once

#include <atomic>
#include <memory>

#include "core/run_on.h"
#include "db/sqlite/engine.h"

namespace aegis::db::sqlite {

/// A session's hold: a transaction on the writer from its first write on, reads elsewhere before.
/// Works from any executor; on the writer's own no statement hops.
class SqliteLink final : public Link {
 public:
  SqliteLink(std::shared_ptr<Engine> engine, const SessionOptions& options,
             const std::atomic<bool>* cancelled = nullptr);
  ~SqliteLink() override;

  awaitable<Outcome> run(const Statement& statement, RowSink& rows) override;
  std::unique_ptr<RowStream> stream(const Statement& statement) override;
  awaitable<void> begin() override;
  awaitable<void> commit() override;
  awaitable<void> rollback() override;
  awaitable<void> savepoint(int depth) override;
  awaitable<void> release(int depth) override;
  awaitable<void> rollback_to(int depth) override;

  /// Whether its reads need no transaction; then the file is open.
  awaitable<bool> reads_freely();
  const std::shared_ptr<Engine>& engine() const { return engine_; }

 private:
  /// The session is one transaction, whatever it does.
  bool one_snapshot() const {
    return options_.isolation != Isolation::read_committed && !options_.read_only;
  }
  awaitable<void> mark_here(std::string sql, int open);
  template <class T>
  awaitable<T> on_writer(awaitable<T> work, std::shared_ptr<Cancellation> cancellation = nullptr);

  awaitable<Outcome> run_on_writer(const Statement& statement, RowSink& rows);
  awaitable<Outcome> run_here(const Statement& statement, RowSink& rows,
                              const std::atomic<bool>* cancelled);
  awaitable<void> begin_here();
  awaitable<void> commit_here();
  awaitable<void> rollback_here();
  awaitable<Outcome> read(const Statement& statement, RowSink& rows);
  awaitable<void> open_here();

  std::shared_ptr<Engine> engine_;
  SessionOptions options_;
  const std::atomic<bool>* cancelled_;  ///< of a session on the writer
  /// From the first write on; used on the writer's thread only, save whether there is one.
  std::unique_ptr<Transaction> transaction_;
};

}  // namespace aegis::db::sqlite
