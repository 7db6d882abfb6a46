#pragma once

#include <memory>

#include "db/postgres/engine.h"

namespace aegis::db::postgres {

/// A session's hold: reads go over the lanes of the core they are asked for on, the first write
/// takes a connection for the transaction.
class PostgresLink final : public Link {
 public:
  /// `patience`: how long a read waits for a lane's connection; pool_timeout unless given.
  PostgresLink(std::shared_ptr<Engine> engine, const SessionOptions& options,
               std::optional<Milliseconds> patience = std::nullopt);
  ~PostgresLink() override;

  awaitable<Outcome> run(const Statement& statement, RowSink& rows) override;
  std::unique_ptr<RowStream> stream(const Statement& statement) override;
  awaitable<void> begin() override;
  awaitable<void> commit() override;
  awaitable<void> rollback() override;
  /// COPY.
  awaitable<bool> insert_rows(const Table& table, std::span<void* const> rows,
                              bool with_key) override;
  /// Does not wait for the answer, which comes before that to the commit.
  awaitable<void> notify(std::string_view channel, std::string_view payload) override;
  awaitable<void> copy_in(const std::string& sql,
                          FunctionRef<awaitable<bool>(std::string& part)> next) override;
  awaitable<void> copy_out(const std::string& sql,
                           FunctionRef<awaitable<void>(std::string_view lines)> take) override;
  awaitable<void> savepoint(int depth) override;
  awaitable<void> release(int depth) override;
  awaitable<void> rollback_to(int depth) override;

 private:
  awaitable<void> copy_rows(const Table& table, std::span<void* const> rows, const Field* without);
  awaitable<void> read_copied_keys(const Table& table, std::span<void* const> rows,
                                   std::int64_t before, std::int64_t last);
  awaitable<std::optional<std::int64_t>> number(Statement statement);
  /// Sends the limit for the transaction's statements, where the connection does not have it.
  void limit_time(Connection& connection) const;
  awaitable<void> run_copy(awaitable<void> copy);
  /// What its transaction begins with.
  std::string begin_statement() const;
  /// Sends SQL that nobody waits for, together with the next statement.
  awaitable<void> send_along(std::string sql);
  awaitable<void> send_notification(std::string_view channel, std::string_view payload);
  /// The core that the session's work is done on.
  Core& core_for(const boost::asio::any_io_executor& executor);
  awaitable<Outcome> read_after_all(Core& core, Statement statement, RowSink& rows,
                                    Failure failure);
  awaitable<Outcome> read_aside(Core& core, Statement statement, RowSink& rows);
  awaitable<Outcome> run_in_transaction(Core& core, Statement statement, RowSink& rows);
  awaitable<void> acquire(Core& core);
  awaitable<void> end_transaction(std::string_view sql);
  /// Runs `work` on the transaction's core.
  awaitable<void> on_core(awaitable<void> work);
  void check_usable() const;
  void check_not_copying() const;
  void give_back();
  [[noreturn]] void fail(const Request& request);

  std::shared_ptr<Engine> engine_;
  SessionOptions options_;
  Milliseconds patience_;
  std::shared_ptr<Core> core_;              ///< of the transaction
  std::shared_ptr<Connection> connection_;  ///< the transaction's
  bool begun_ = false;                      ///< BEGIN was sent
  bool copying_ = false;                    ///< the connection takes nothing else
  int streams_ = 0;                         ///< begun so far
  std::string failure_;                     ///< why the transaction can only be rolled back
};

}  // namespace aegis::db::postgres
