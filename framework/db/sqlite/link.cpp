#include "db/sqlite/link.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "db/sqlite/stream.h"

namespace aegis::db::sqlite {
namespace {

// A session that only read ends on its caller's thread.
awaitable<void> nothing_to_do() {
  co_return;
}

}  // namespace

SqliteLink::SqliteLink(std::shared_ptr<Engine> engine, const SessionOptions& options,
                       const std::atomic<bool>* cancelled)
    : engine_(std::move(engine)), options_(options), cancelled_(cancelled) {}

SqliteLink::~SqliteLink() {
  if (transaction_) engine_->writer.abandon(std::move(transaction_));
}

template <class T>
awaitable<T> SqliteLink::on_writer(awaitable<T> work, std::shared_ptr<Cancellation> cancellation) {
  if (engine_->writer.here()) return work;
  if (engine_->writer.stopped()) throw closed_error();
  if (!cancellation) cancellation = std::make_shared<Cancellation>();
  return run_on(engine_->writer.executor(), std::move(work), std::move(cancellation));
}

awaitable<Outcome> SqliteLink::run_on_writer(const Statement& statement, RowSink& rows) {
  if (engine_->writer.here()) return run_here(statement, rows, cancelled_);
  auto cancellation = std::make_shared<Cancellation>();
  auto work = run_here(statement, rows, &cancellation->requested);
  return on_writer(std::move(work), std::move(cancellation));
}

awaitable<bool> SqliteLink::reads_freely() {
  if (transaction_ || one_snapshot() || engine_->config.single_connection()) co_return false;
  if (engine_->writer.opening() == 0) co_await on_writer(open_here());
  co_return true;
}

std::unique_ptr<RowStream> SqliteLink::stream(const Statement& statement) {
  return make_stream(*this, statement);
}

awaitable<Outcome> SqliteLink::run(const Statement& statement, RowSink& rows) {
  if (statement.writes || transaction_ || one_snapshot() || engine_->config.single_connection()) {
    return run_on_writer(statement, rows);
  }
  return read(statement, rows);
}
awaitable<void> SqliteLink::begin() {
  return on_writer(begin_here());
}
awaitable<void> SqliteLink::commit() {
  return transaction_ ? on_writer(commit_here()) : nothing_to_do();
}
awaitable<void> SqliteLink::rollback() {
  return transaction_ ? on_writer(rollback_here()) : nothing_to_do();
}

awaitable<Outcome> SqliteLink::run_here(const Statement& statement, RowSink& rows,
                                        const std::atomic<bool>* cancelled) {
  Writer& writer = engine_->writer;
  if (!transaction_) {
    if (!statement.writes && !one_snapshot() && writer.is_read(statement.sql)) {
      Outcome outcome;
      const auto read = [&](Connection& connection) { outcome = connection.run(statement, &rows); };
      co_await writer.run_alone(read, cancelled);
      co_return outcome;
    }
    co_await begin_here();
  }
  co_return writer.run(*transaction_, statement, rows, cancelled);
}

awaitable<void> SqliteLink::begin_here() {
  if (transaction_) co_return;
  if (options_.read_only) {
    throw Error(Errc::internal, "This session is for reading only: to write, use session().");
  }
  auto transaction = std::make_unique<Transaction>();
  transaction->where = options_.where;
  transaction->origin = options_.origin;
  transaction->may_take_long = options_.may_take_long;
  Transaction& begun = *transaction;
  transaction_ = std::move(transaction);
  try {
    co_await engine_->writer.begin(begun);
  } catch (...) {
    transaction_.reset();
    throw;
  }
}

awaitable<void> SqliteLink::commit_here() {
  co_await engine_->writer.commit(*transaction_);
  transaction_.reset();
}

awaitable<void> SqliteLink::rollback_here() {
  engine_->writer.rollback(*transaction_);
  transaction_.reset();
  co_return;
}

awaitable<void> SqliteLink::savepoint(int depth) {
  return on_writer(mark_here(fmt::format("SAVEPOINT nested_{}", depth), depth));
}
awaitable<void> SqliteLink::release(int depth) {
  return on_writer(mark_here(fmt::format("RELEASE nested_{}", depth), depth - 1));
}
awaitable<void> SqliteLink::rollback_to(int depth) {
  co_await on_writer(mark_here(fmt::format("ROLLBACK TO nested_{}", depth), depth));
  co_await release(depth);
}

awaitable<void> SqliteLink::mark_here(std::string sql, int open) {
  engine_->writer.mark(*transaction_, sql, open);
  co_return;
}

// Runs on the caller's executor, whichever that is.
awaitable<Outcome> SqliteLink::read(const Statement& statement, RowSink& rows) {
  const auto now = std::chrono::steady_clock::now();
  Writer& writer = engine_->writer;
  if (writer.opening() == 0 || writer.file_was_replaced(now)) co_await on_writer(open_here());
  Outcome outcome;
  switch (engine_->readers.try_here(statement, rows, outcome, now)) {
    case Readers::Attempt::done:
      co_return outcome;
    case Readers::Attempt::is_write: {
      const Statement write{statement.sql, statement.values, true};
      co_return co_await run_on_writer(write, rows);
    }
    case Readers::Attempt::elsewhere:
      break;
  }
  const auto work = [&](Connection& connection) { outcome = connection.run(statement, &rows); };
  co_await engine_->readers.on_reader(work);
  co_return outcome;
}

awaitable<void> SqliteLink::open_here() {
  engine_->writer.open();
  co_return;
}

}  // namespace aegis::db::sqlite
