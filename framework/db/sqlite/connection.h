#pragma once

#include <sqlite3.h>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "db/driver.h"
#include "db/sqlite/config.h"
#include "db/sqlite/errors.h"

namespace aegis::db::sqlite {

/// One SQLite connection and the statements it keeps prepared. Used by one thread at a time.
class Connection {
 public:
  enum class Role {
    writer,  ///< creates the file when asked to
    reader,  ///< on a thread of its own: may wait for locks
    guest,   ///< on somebody else's thread: waits for nothing, runs Config::inline_opcodes at most
  };

  /// A statement in the cache; valid until the next prepare().
  struct Prepared;

  /// Throws Failure. `interrupted`, if there is one, is asked now and then while a statement runs
  /// or waits for a lock, save for a guest's: true ends it with SQLITE_INTERRUPT or SQLITE_BUSY.
  Connection(const Config& config, Role role, std::function<bool()> interrupted = {},
             bool create = false);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Throws Failure; Error(invalid) when the text is not exactly one statement.
  Prepared& prepare(std::string_view sql);
  static bool is_read(const Prepared& statement);
  /// A note that a guest's thread keeps at the statement, see Readers.
  static int& runs_elsewhere(Prepared& statement);

  /// Binds, steps, hands the rows over and resets. Throws Failure: for a guest SQLITE_BUSY and
  /// SQLITE_INTERRUPT (over its opcodes) mean that a reader must do it. What `rows` throws ends it.
  Outcome run(Prepared& statement, std::span<const Cell> values, RowSink* rows);
  Outcome run(const Statement& statement, RowSink* rows) {
    return run(prepare(statement.sql), statement.values, rows);
  }
  /// The same row by row, for a connection with nothing else to do: start() binds, and step() hands
  /// over one row, or answers false at the end.
  void start(Prepared& statement, std::span<const Cell> values) { bind(statement, values); }
  bool step(Prepared& statement, RowSink& rows);
  /// Runs one of the driver's own statements without rows, e.g. "COMMIT"; answers the result code.
  /// It is not interrupted, as one that did its work must not be said to have failed.
  int control(std::string_view sql) noexcept;
  /// The first column of the first row as text; empty without one. Throws Failure.
  std::string text(std::string_view sql);

  /// How long a statement waits for another process's lock.
  void wait_for_locks(Milliseconds limit) { lock_timeout_ = limit; }

  bool in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }
  bool read_only() const { return sqlite3_db_readonly(connection_.get(), "main") == 1; }
  /// Whether rows refer to rows that do not exist, which only a COMMIT would report.
  bool has_dangling_references() const;
  Failure last_failure(std::string_view sql) const {
    return {connection_.get(), sql, config_.file};
  }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };

  void configure(Role role);
  void set_journal_mode();
  void bind(Prepared& statement, std::span<const Cell> values);
  [[noreturn]] void fail(std::string_view sql) const { throw last_failure(sql); }
  bool is_interrupted() const { return interrupted_ && interrupted_(); }
  static int wait_for_lock(void* self, int tries);
  static int authorize(void* self, int action, const char*, const char*, const char*, const char*);

  const Config& config_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::list<Prepared> statements_;  ///< most recently used first
  std::unordered_map<std::string_view, std::list<Prepared>::iterator> by_text_;
  std::function<bool()> interrupted_;
  Milliseconds lock_timeout_{0};
  std::chrono::steady_clock::time_point locked_since_{};
  bool own_statement_ = false;  ///< the driver's own may control transactions
};

}  // namespace aegis::db::sqlite
