#include "db/sqlite/link.h"

#include <fmt/format.h>

#include <utility>

#include "core/run_on.h"

namespace aegis::db::sqlite {
namespace {

// A session that only read ends on its caller's thread.
awaitable<void> nothing_to_do() {
  co_return;
}

}  // namespace

SqliteLink::SqliteLink(std::shared_ptr<Engine> engine, const SessionOptions& options)
    : engine_(std::move(engine)), options_(options) {}

SqliteLink::~SqliteLink() {
  if (transaction_) engine_->writer.abandon(std::move(transaction_));
}

template <class T>
awaitable<T> SqliteLink::on_writer(awaitable<T> work) {
  if (engine_->writer.here()) return work;
  if (engine_->writer.stopped()) throw closed_error();
  return run_on(engine_->writer.executor(), std::move(work));
}

awaitable<Outcome> SqliteLink::run(const Statement& statement, RowSink& rows) {
  if (statement.writes || transaction_ || one_snapshot() || engine_->config.single_connection()) {
    return on_writer(run_here(statement, rows));
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

awaitable<Outcome> SqliteLink::run_here(const Statement& statement, RowSink& rows) {
  Writer& writer = engine_->writer;
  if (!transaction_) {
    if (!statement.writes && !one_snapshot() && writer.is_read(statement.sql)) {
      Outcome outcome;
      const auto read = [&](Connection& connection) { outcome = connection.run(statement, &rows); };
      co_await writer.run_alone(read);
      co_return outcome;
    }
    co_await begin_here();
  }
  co_return writer.run(*transaction_, statement, rows);
}

awaitable<void> SqliteLink::begin_here() {
  if (transaction_) co_return;
  if (options_.read_only) {
    throw Error(Errc::internal, "This session is for reading only: to write, use session().");
  }
  auto transaction = std::make_unique<Transaction>();
  transaction->where = options_.where;
  transaction->origin = options_.origin;
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
  if (engine_->writer.opening() == 0) co_await on_writer(open_here());
  Outcome outcome;
  switch (engine_->readers.try_here(statement, rows, outcome)) {
    case Readers::Attempt::done:
      co_return outcome;
    case Readers::Attempt::is_write: {
      const Statement write{statement.sql, statement.values, true};
      co_return co_await on_writer(run_here(write, rows));
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
