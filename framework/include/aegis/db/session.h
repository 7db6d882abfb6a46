#pragma once

#include <array>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "aegis/core/function_ref.h"
#include "aegis/db/query.h"

namespace aegis {

struct Enqueued;
struct EnqueueOptions;

namespace db {
class Link;
class Driver;
class RowSink;
class RowStream;
struct Statement;
struct Outcome;
}  // namespace db

/// What a transaction sees of others that run at the same time.
enum class Isolation : std::uint8_t {
  read_committed,   ///< each statement what is committed when it begins
  repeatable_read,  ///< all statements what was committed at the first one
  serializable,     ///< as if it ran alone; may fail with Error(try_again)
};

/// How a session is to run.
struct SessionOptions {
  bool read_only = false;  ///< a write is an error
  bool replica = false;    ///< a read_only one may read rows of a moment ago, from a replica
  /// More than read_committed: the session is one transaction from its first statement on, also
  /// when it only reads. SQLite's transactions are serializable always; a read_only session there
  /// has none.
  Isolation isolation = Isolation::read_committed;
  /// A read_only, serializable one first waits for a moment from which on it cannot fail.
  bool deferrable = false;
  /// How often the body of a session is run at most while it loses against others
  /// (Error(try_again)).
  int attempts = 1;
  /// Stay on the caller's executor although writes may be quicker elsewhere: for what mostly reads.
  bool in_place = false;
  /// May hold up other writers for as long as it takes: for changes of the schema.
  bool may_take_long = false;
  /// Where it began; the slow-transaction log names it.
  std::source_location where = std::source_location::current();
  std::string_view
      origin{};  ///< a better name than `where`, e.g. a route; must outlive the session
};

/// A unit of work. Reads before the first write see the newest committed rows, each by itself
/// (READ COMMITTED); the first write begins a transaction, which later statements are part of.
/// After commit() or rollback() the next write begins a new one. When a statement of a transaction
/// fails, the transaction can only be rolled back: until then further statements, and commit(), are
/// an Error(internal) that repeats what failed. Destroying a session that was not committed rolls
/// it back without waiting.
///
/// Used by one coroutine at a time. Objects passed by reference must outlive the await.
class Session {
 public:
  Session(std::unique_ptr<db::Link> link, db::Driver& driver, SessionOptions options);
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// The row with this key. Throws Error(not_found).
  template <Model T>
  awaitable<T> get(const KeyOf<T>& key) {
    return detail::fetch_by_key<T>(*this, table_of<T>(), key, false);
  }
  /// The row with this key, or nothing.
  template <Model T>
  awaitable<std::optional<T>> find(const KeyOf<T>& key) {
    return detail::fetch_by_key<std::optional<T>>(*this, table_of<T>(), key, false);
  }
  /// As get(), and locks the row until the session ends: read, change, write back.
  template <Model T>
  awaitable<T> get_for_update(const KeyOf<T>& key) {
    return detail::fetch_by_key<T>(*this, table_of<T>(), key, true);
  }

  /// Inserts `row`; fills its key when that is an empty optional. Throws Error(conflict) naming
  /// the column whose value is taken.
  template <Model T>
  awaitable<void> insert(T& row) {
    return insert_row(table_of<T>(), &row);
  }
  template <Model T>
  awaitable<void> insert(T&& row) = delete;  // its key would be lost, and g++ 12 frees it twice

  /// Inserts all rows, in as few statements as possible; fills their keys.
  template <Model T>
  awaitable<void> insert_all(std::vector<T>& rows) {
    return insert_rows(table_of<T>(), detail::type_of<std::vector<T>>(), &rows);
  }

  /// Writes every column of the row with row's key. Throws Error(not_found).
  template <Model T>
  awaitable<void> update(const T& row) {
    return update_row(table_of<T>(), &row);
  }

  /// Inserts `row`, or updates the one that has the same value in `conflict` (a unique column).
  template <Model T, class M, std::size_t I>
  awaitable<void> upsert(T& row, Column<T, M, I> conflict) {
    return upsert_row(table_of<T>(), &row, conflict.name());
  }

  /// Deletes the row with this key. Throws Error(not_found).
  template <Model T>
  awaitable<void> erase(const KeyOf<T>& key) {
    return detail::erase_by_key(*this, table_of<T>(), key);
  }

  template <Model T>
  Select<T> select() {
    return Select<T>(*this);
  }
  template <Model T>
  Update<T> update_all() {
    return Update<T>(*this);
  }
  template <Model T>
  Delete<T> delete_from() {
    return Delete<T>(*this);
  }

  /// Runs SQL with parameters $1, $2, … bound to `args`. T is a described struct (columns are
  /// matched by name) or a scalar (the first column).
  template <class T, class... Args>
  awaitable<std::vector<T>> query(std::string sql, const Args&... args) {
    const std::array<Cell, sizeof...(args)> cells{detail::cell_of(args)...};
    return detail::fetch<std::vector<T>>(detail::AnyQuery(*this, std::move(sql), cells));
  }
  /// As query(), for results too large to hold: see ResultStream. SQL that reads.
  template <class T, class... Args>
  ResultStream<T> stream(std::string sql, const Args&... args) {
    const std::array<Cell, sizeof...(args)> cells{detail::cell_of(args)...};
    return ResultStream<T>(detail::AnyQuery(*this, std::move(sql), cells));
  }
  /// Runs SQL that returns no rows; answers how many rows it changed.
  template <class... Args>
  awaitable<std::int64_t> execute(std::string sql, const Args&... args) {
    const std::array<Cell, sizeof...(args)> cells{detail::cell_of(args)...};
    return detail::run(detail::AnyQuery(*this, std::move(sql), cells));
  }

  /// Runs COPY … FROM STDIN with data in COPY's own format, on PostgreSQL only: `next` puts the
  /// next part into its argument, or answers false when there is none. What it throws ends the
  /// copy.
  awaitable<void> copy_in(std::string sql, FunctionRef<awaitable<bool>(std::string& part)> next);
  /// Runs COPY … TO STDOUT, on PostgreSQL only: `take` gets whole lines as they come, and is waited
  /// for before more is received.
  awaitable<void> copy_out(std::string sql,
                           FunctionRef<awaitable<void>(std::string_view lines)> take);

  /// Runs `body` so that it can fail alone: when it throws, what it wrote is undone, and the
  /// session goes on as it was before. What the body threw reaches the caller. Begins the
  /// transaction.
  ///   try {
  ///     co_await s.savepoint([&]() -> awaitable<void> { co_await s.insert(shield); });
  ///   } catch (const Error& error) { … }
  template <class F>
  awaitable<void> savepoint(F body) {
    static_assert(std::is_trivially_copyable_v<F>,
                  "A savepoint's callable must capture by reference: [&]() -> awaitable<void>.");
    co_await run_savepoint(body);
  }

  /// Sends `payload` to those who listen to `channel` (Database::listen) when the session commits;
  /// of equal ones in a transaction they hear one. A channel's name has up to 63 letters, digits
  /// and characters _ - . : and a payload up to 7999 bytes. Throws Error(invalid).
  void notify(std::string channel, std::string payload = {});

  /// Makes the session's writes durable. Injected and lambda sessions do so by themselves. Throws
  /// Error(unknown_outcome) when the answer is lost: the writes may be stored or not.
  awaitable<void> commit();
  /// Undoes the session's writes.
  awaitable<void> rollback();
  /// Calls `then` once the writes are durable; a rollback forgets it. On whatever thread commits:
  /// `then` is to be quick and to throw nothing.
  void after_commit(std::function<void()> then) { after_commit_.push_back(std::move(then)); }

  /// Enqueues the job J{args…} as part of this session's transaction: see aegis/jobs/job.h.
  template <class J, class... Args>
  awaitable<Enqueued> enqueue(Args&&... args);
  template <class J>
  awaitable<Enqueued> enqueue(const J& job);
  template <class J>
  awaitable<Enqueued> enqueue(const J& job, EnqueueOptions options);
  /// Enqueues them all, in as few statements as possible; answers how many are new.
  template <class J>
  awaitable<std::int64_t> enqueue_all(const std::vector<J>& jobs);
  template <class J>
  awaitable<std::int64_t> enqueue_all(const std::vector<J>& jobs, EnqueueOptions options);
  /// The same, and answers the id of each, in their order.
  template <class J>
  awaitable<std::vector<Enqueued>> enqueue_each(const std::vector<J>& jobs);
  template <class J>
  awaitable<std::vector<Enqueued>> enqueue_each(const std::vector<J>& jobs, EnqueueOptions options);

  const SessionOptions& options() const { return options_; }
  db::Driver& driver() { return *driver_; }
  /// For the library: runs one statement. Statement, sink and what they refer to must live until it
  /// is done.
  awaitable<db::Outcome> run(const db::Statement& statement, db::RowSink& rows);
  std::unique_ptr<db::RowStream> stream(const db::Statement& statement);

 private:
  void check_usable() const;
  awaitable<void> run_savepoint(FunctionRef<awaitable<void>()> body);
  awaitable<void> insert_row(const Table& table, void* row);
  awaitable<void> insert_rows(const Table& table, const Type& type, void* rows);
  awaitable<void> insert_many(const Table& table, std::span<void* const> rows, bool with_key);
  awaitable<bool> insert_by_link(const Table& table, std::span<void* const> rows, bool with_key);
  awaitable<void> update_row(const Table& table, const void* row);
  awaitable<void> upsert_row(const Table& table, void* row, std::string_view conflict);

  std::unique_ptr<db::Link> link_;
  db::Driver* driver_;
  SessionOptions options_;
  bool in_transaction_ = false;
  int savepoints_ = 0;  ///< how many are open, one inside the other
  std::vector<std::function<void()>> after_commit_{};
  std::string failure_{};  ///< why the transaction can only be rolled back
  std::vector<std::pair<std::string, std::string>> notifications_{};  ///< to be sent at its commit
};

}  // namespace aegis
