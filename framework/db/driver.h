#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "aegis/core/awaitable.h"
#include "aegis/core/type.h"
#include "aegis/db/database.h"
#include "db/dialect.h"
#include "db/notifications.h"

/// What SQLite and PostgreSQL each implement. Everything above it is the same for both.
namespace aegis::db {

struct Statement {
  std::string_view sql;  ///< parameters are $1, $2, …
  std::span<const Cell> values;
  bool writes;
};

struct Outcome {
  std::int64_t affected = 0;        ///< rows changed
  std::int64_t last_insert_id = 0;  ///< the key the database gave (Dialect::key_by_last_insert_id)
};

/// Receives a statement's rows; may be called on a driver's thread while the coroutine that awaits
/// the statement is suspended. An exception ends the statement and reaches that coroutine.
class RowSink {
 public:
  virtual void columns(std::span<const std::string_view> names) = 0;
  virtual void row(std::span<const Cell> cells) = 0;
  /// The statement starts over (a read only): what was received so far is void.
  virtual void restart() = 0;

 protected:
  ~RowSink() = default;
};

/// The rows of a statement that only reads, a part at a time, so that they need not fit into
/// memory.
class RowStream {
 public:
  /// What was not read is given up, without waiting.
  virtual ~RowStream() = default;
  /// Hands over the next part, which may be empty; answers false when there was none.
  virtual awaitable<bool> next(RowSink& rows) = 0;
};

/// One session's hold on the database. Used by one coroutine at a time.
class Link {
 public:
  /// What was not committed is rolled back by the driver, without waiting.
  virtual ~Link() = default;

  bool has_stored = false;  ///< the session has committed something: it must not be run again

  /// Runs one statement. The first that writes begins the transaction, and all later ones are part
  /// of it. Statement, sink and what they refer to must live until it is done.
  virtual awaitable<Outcome> run(const Statement& statement, RowSink& rows) = 0;
  /// Begins a stream; the link, and what `statement` refers to, must outlive it.
  virtual std::unique_ptr<RowStream> stream(const Statement& statement) = 0;
  /// Begins the transaction now.
  virtual awaitable<void> begin() = 0;
  /// Makes the transaction durable; nothing to do without one. The next write begins another.
  virtual awaitable<void> commit() = 0;
  virtual awaitable<void> rollback() = 0;

  /// Inserts many rows by a way of the database's own, as part of the transaction, and fills their
  /// keys unless `with_key`; answers false when there is none.
  virtual awaitable<bool> insert_rows(const Table& table, std::span<void* const> rows,
                                      bool with_key);

  // COPY, as Session has it; throws Error(invalid) where there is none.
  virtual awaitable<void> copy_in(const std::string& sql,
                                  FunctionRef<awaitable<bool>(std::string& part)> next);
  virtual awaitable<void> copy_out(const std::string& sql,
                                   FunctionRef<awaitable<void>(std::string_view lines)> take);

  /// Sends a notification with the transaction, which is begun if need be.
  virtual awaitable<void> notify(std::string_view channel, std::string_view payload);

  // Savepoints of the transaction, which has begun. `depth` counts those that are open, from 1.
  virtual awaitable<void> savepoint(int depth) = 0;
  virtual awaitable<void> release(int depth) = 0;
  /// Undoes what came after it, also a failure, and releases it.
  virtual awaitable<void> rollback_to(int depth) = 0;
};

class Driver {
 public:
  virtual ~Driver() = default;

  /// Who listens to what sessions send by notify().
  virtual const std::shared_ptr<Notifications>& notifications() const = 0;
  /// Whether a session hands its notifications over itself, once it has committed; otherwise they
  /// go by Link::notify().
  virtual bool notifies_in_process() const = 0;
  /// Sends a notification that is only a hint, soon and outside of any transaction; equal ones that
  /// come close together are heard once. Does not wait; what it takes is done on `executor`, on
  /// whose context the caller runs. Any thread.
  virtual void announce(const boost::asio::any_io_executor& executor, std::string_view channel,
                        std::string_view payload);

  virtual const Dialect& dialect() const = 0;
  /// `cancelled`, if not null, turns true when a session whose body runs on write_executor() is
  /// cancelled, and ends the statement that runs there. It outlives the link's use.
  virtual std::unique_ptr<Link> open(const SessionOptions& options,
                                     const std::atomic<bool>* cancelled) = 0;
  /// Where the body of a session that writes should run, when not on its caller's executor.
  virtual std::optional<boost::asio::any_io_executor> write_executor() { return std::nullopt; }
  virtual awaitable<DatabaseReport> inspect() = 0;
  virtual awaitable<void> close() = 0;
};

/// Throws Error(invalid) for a URL or setting that no driver takes; opens nothing.
void check_options(const DatabaseOptions& options);

/// Makes the driver that the URL's scheme names. Throws Error(invalid).
std::unique_ptr<Driver> make_driver(Runtime& runtime, const DatabaseOptions& options);

}  // namespace aegis::db
