#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "aegis/core/function_ref.h"
#include "aegis/core/type.h"
#include "aegis/db/session.h"

namespace aegis {

class Listener;
class Runtime;

struct DatabaseOptions {
  std::string url = "sqlite:///data/app.db";
  /// A PostgreSQL server that follows the one at `url`, for read(). Empty: there is none.
  std::string read_url{};
  /// Settings by name, driver's own: for SQLite busy_timeout, cache_size, foreign_keys,
  /// inline_opcodes, journal_mode, mmap_size, readers, statement_cache, synchronous and
  /// write_turn_timeout (docs/database.md). An unknown one is an error.
  std::map<std::string, std::string> connect_args{};
  bool echo = false;  ///< log every statement (its values are not shown)
  std::chrono::milliseconds slow_transaction{1000};  ///< log a transaction that holds longer
  /// All sessions share one transaction that is never committed: for tests.
  bool rolled_back = false;
};

/// What a database says of itself, for health and for `db` commands.
struct DatabaseReport {
  struct TableFacts {
    std::string name;
    std::int64_t rows = 0;
    bool estimated = false;  ///< rows is an estimate: the table is large
    std::vector<std::string> columns{}, indexes{}, foreign_keys{};
  };
  struct Fact {
    std::string name;
    Value value;  ///< a boolean, integer, real or text
  };
  enum class Part : std::uint8_t { whole, storage, replica };
  struct Problem {
    bool unhealthy;       ///< otherwise a warning
    std::string message;  ///< what is wrong, and what to do
    Part part = Part::whole;
  };

  std::string implementation;  ///< "sqlite", "postgresql"
  std::string version;
  std::string url;  ///< without its password
  std::vector<Problem> problems{};
  std::vector<Fact> storage{};   ///< file, its existence, permissions and size
  std::vector<Fact> settings{};  ///< pragmas or server settings
  std::vector<Fact> pool{};      ///< connections, queues, group sizes
  std::vector<Fact> replica{};   ///< where there is one: URL, whether it answers, lag
  std::vector<TableFacts> tables{};
  bool has_tables = false;  ///< `tables` is complete; otherwise the database could not be read
};

/// A database that the whole process shares. Safe to use from every executor of the runtime.
class Database {
 public:
  /// Reads the URL and starts the driver; touches neither file nor server, so that a process can
  /// start, and say what is wrong, while its database is away. Throws Error(invalid) for a bad URL
  /// or option, without the URL's password.
  Database(Runtime& runtime, DatabaseOptions options);
  ~Database();

  /// Runs `body` in a session: commits when it returns, rolls back when it throws.
  ///   co_await db.session([&](Session& s) -> awaitable<void> { co_await s.insert(shield); });
  /// Runs it again, up to five times in all, when PostgreSQL rolls its transaction back because of
  /// a concurrent one (a deadlock, a serialization failure). So it should change nothing but the
  /// database. With SQLite the body runs on the database's writer thread, where its statements need
  /// no hop: it should not wait long for anything else.
  template <class F>
  std::invoke_result_t<F&, Session&> session(
      F body, std::source_location where = std::source_location::current()) {
    return run<F>(std::move(body), SessionOptions{.attempts = session_attempts, .where = where});
  }
  /// As session(), as `options` say:
  ///   co_await db.session({.isolation = Isolation::serializable, .attempts = 5}, […]);
  template <class F>
  std::invoke_result_t<F&, Session&> session(SessionOptions options, F body) {
    return run<F>(std::move(body), options);
  }
  /// As session(), for reading only: stays on the caller's thread where the driver can. Where there
  /// is a replica (DatabaseOptions::read_url), that is read from: rows may be a moment old. For the
  /// newest: session({.read_only = true}, …).
  template <class F>
  std::invoke_result_t<F&, Session&> read(
      F body, std::source_location where = std::source_location::current()) {
    return run<F>(std::move(body),
                  SessionOptions{.read_only = true, .replica = true, .where = where});
  }
  /// A session whose end is the caller's: commit() it, or it is rolled back.
  Session begin(std::source_location where = std::source_location::current());

  /// The type-erased form of session() and read(). Runs `body` options.attempts times at most.
  awaitable<void> run_session(SessionOptions options, FunctionRef<awaitable<void>(Session&)> body);

  /// Hears what sessions send to these channels by notify(); see aegis/db/listener.h. PostgreSQL:
  /// from all processes, on one connection of its own, made when somebody first awaits a
  /// notification, and again when it breaks. SQLite: from this process. Throws Error(invalid) for
  /// a bad name of a channel.
  Listener listen(std::vector<std::string> channels);

  /// Creates the tables and indexes that do not exist yet. Tables referenced by others come first.
  awaitable<void> create_all(std::vector<const Table*> tables);
  /// The SQL that create_all() would run on an empty database.
  std::string schema(const std::vector<const Table*>& tables) const;

  /// Connects when needed and answers what there is; a database that is away is a Problem, not an
  /// exception.
  awaitable<DatabaseReport> inspect();

  /// For the application: whether handlers may use it. Not before its tables are there.
  bool prepared() const { return prepared_.load(std::memory_order_relaxed); }
  void set_prepared(bool prepared) { prepared_ = prepared; }

  /// Ends all work and closes; sessions that are open are rolled back.
  awaitable<void> close();

  const DatabaseOptions& options() const { return options_; }

 private:
  static constexpr int session_attempts = 5;

  template <class F>
  std::invoke_result_t<F&, Session&> run(F body, SessionOptions options) {
    static_assert(std::is_trivially_copyable_v<F>,
                  "A session's callable must capture by reference: [&](Session& s) -> "
                  "awaitable<…>. (A capture with a destructor is freed twice by g++ 12.)");
    using Result = typename std::invoke_result_t<F&, Session&>::value_type;
    if constexpr (std::is_void_v<Result>) {
      co_await run_session(options, body);
    } else {
      std::optional<Result> result;
      auto keep = [&](Session& s) -> awaitable<void> { result.emplace(co_await body(s)); };
      co_await run_session(options, keep);
      co_return std::move(*result);
    }
  }

  DatabaseOptions options_;
  std::unique_ptr<db::Driver> driver_;
  std::atomic<bool> prepared_ = true;
};

}  // namespace aegis
