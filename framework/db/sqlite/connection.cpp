#include "db/sqlite/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "aegis/core/log.h"
#include "aegis/core/time.h"

namespace aegis::db::sqlite {

struct Connection::Prepared {
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  std::string text;
  std::unique_ptr<sqlite3_stmt, Finalize> handle;
  std::vector<int> parameters;  ///< SQLite's index of $1, $2, …
  std::vector<std::string_view> names;
  std::vector<Cell> row;
  bool own = false;  ///< the driver's, not for others
  int runs_elsewhere = 0;
  int prepared_again = -1;  ///< SQLITE_STMTSTATUS_REPREPARE when names were read

  /// A change of the schema makes SQLite prepare again while it runs: other columns, other names.
  void read_names() {
    const int count = sqlite3_stmt_status(handle.get(), SQLITE_STMTSTATUS_REPREPARE, 0);
    if (count == prepared_again) return;
    prepared_again = count;
    const int columns = sqlite3_column_count(handle.get());
    names.clear();
    for (int i = 0; i < columns; ++i) names.emplace_back(sqlite3_column_name(handle.get(), i));
    row.resize(names.size());
  }

  void read_row() {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = cell(static_cast<int>(i));
  }

 private:
  Cell cell(int column) {
    sqlite3_stmt* const from = handle.get();
    switch (sqlite3_column_type(from, column)) {
      case SQLITE_INTEGER:
        return std::int64_t{sqlite3_column_int64(from, column)};
      case SQLITE_FLOAT:
        return sqlite3_column_double(from, column);
      case SQLITE_TEXT: {
        const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(from, column));
        return std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(from, column)));
      }
      case SQLITE_BLOB: {
        const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(from, column));
        return std::span(data, static_cast<std::size_t>(sqlite3_column_bytes(from, column)));
      }
      default:
        return std::monostate{};
    }
  }
};

namespace {

constexpr int check_interval = 10'000;  // opcodes, some 100 µs
constexpr Milliseconds longest_lock_pause{50};

// Once, before the first connection: the statistics are behind one lock for all threads.
void configure_library() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

// "$12" → 12
std::optional<std::size_t> parameter_number(const char* name) {
  if (!name || name[0] != '$') return std::nullopt;
  const std::string_view digits = name + 1;
  std::size_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc{} || stop != end || number == 0 || digits[0] == '0') return std::nullopt;
  return number;
}

std::vector<int> read_parameters(sqlite3_stmt* statement, std::string_view sql) {
  const auto count = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement));
  std::vector<int> indexes(count, 0);
  for (std::size_t i = 1; i <= count; ++i) {
    const char* name = sqlite3_bind_parameter_name(statement, static_cast<int>(i));
    const auto number = parameter_number(name);
    if (!number || *number > count) {
      throw Error(
          Errc::internal,
          fmt::format("The parameters of a statement are $1, $2, … without a gap, not {}, in: "
                      "{}",
                      name ? name : "?", sql));
    }
    indexes[*number - 1] = static_cast<int>(i);
  }
  return indexes;
}

}  // namespace

Connection::Connection(const Config& config, Role role, std::function<bool()> interrupted,
                       bool create)
    : config_(config), interrupted_(std::move(interrupted)) {
  configure_library();
  const std::string name = config.in_memory() ? ":memory:" : config.file.string();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (create || config.in_memory() ? SQLITE_OPEN_CREATE : 0);
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  connection_.reset(handle);
  if (code != SQLITE_OK) {
    throw Failure(code, handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code), "", config.file);
  }
  configure(role);
}

Connection::~Connection() = default;

void Connection::configure(Role role) {
  sqlite3* const handle = connection_.get();
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);  // "x" is a name, never a text
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, config_.foreign_keys ? 1 : 0, nullptr);

  wait_for_locks(role == Role::guest ? Milliseconds(0) : config_.busy_timeout);
  sqlite3_busy_handler(handle, &Connection::wait_for_lock, this);
  if (role == Role::guest) {
    const auto stop = [](void*) { return 1; };
    sqlite3_progress_handler(handle, static_cast<int>(config_.inline_opcodes), stop, nullptr);
  } else {
    const auto check = [](void* self) {
      const auto& connection = *static_cast<Connection*>(self);
      return !connection.own_statement_ && connection.is_interrupted() ? 1 : 0;
    };
    sqlite3_progress_handler(handle, check_interval, check, this);
  }

  text("PRAGMA case_sensitive_like = ON");  // as on other databases
  text(fmt::format("PRAGMA cache_size = {}", config_.cache_size));
  if (config_.mmap_size > 0) text(fmt::format("PRAGMA mmap_size = {}", config_.mmap_size));
  if (role != Role::writer) {
    text("PRAGMA query_only = ON");
  } else {
    set_journal_mode();
    text("PRAGMA journal_size_limit = 67108864");
    text("PRAGMA analysis_limit = 400");  // so that PRAGMA optimize is quick
  }
  text(fmt::format("PRAGMA synchronous = {}", config_.synchronous));
  sqlite3_set_authorizer(handle, &Connection::authorize, this);
}

// SQLite takes a new file to WAL with a read lock that becomes a write lock. If another process
// writes just then, it does not ask the busy handler, since two such could wait for each other.
void Connection::set_journal_mode() {
  for (int tries = 0;; ++tries) {
    try {
      text(fmt::format("PRAGMA journal_mode = {}", config_.journal_mode));
      return;
    } catch (const Failure& failure) {
      if (failure.primary_code() == SQLITE_READONLY) return;  // it can be read all the same
      if (failure.primary_code() != SQLITE_BUSY || wait_for_lock(this, tries) == 0) throw;
    }
  }
}

int Connection::authorize(void* self, int action, const char*, const char*, const char*,
                          const char*) {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return static_cast<Connection*>(self)->own_statement_ ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_OK;
  }
}

// As sqlite3_busy_timeout() does it, but it can be interrupted.
int Connection::wait_for_lock(void* self, int tries) {
  auto& connection = *static_cast<Connection*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (tries == 0) connection.locked_since_ = now;
  const auto left = connection.lock_timeout_ - (now - connection.locked_since_);
  if (left <= left.zero() || connection.is_interrupted()) return 0;
  const Milliseconds pause = std::min(Milliseconds(tries + 1), longest_lock_pause);
  std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, left));
  return 1;
}

bool Connection::has_dangling_references() const {
  int current = 0;
  int highest = 0;
  sqlite3_db_status(connection_.get(), SQLITE_DBSTATUS_DEFERRED_FKS, &current, &highest, 0);
  return current != 0;
}

Connection::Prepared& Connection::prepare(std::string_view sql) {
  if (const auto found = by_text_.find(sql); found != by_text_.end()) {
    statements_.splice(statements_.begin(), statements_, found->second);
    Prepared& known = statements_.front();
    if (known.own && !own_statement_) throw Failure(SQLITE_AUTH, "", sql, config_.file);
    return known;
  }

  sqlite3_stmt* handle = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &handle, &rest) != SQLITE_OK) {
    fail(sql);
  }
  Prepared fresh;
  fresh.handle.reset(handle);
  if (!handle) throw Error(Errc::internal, "The SQL text is empty.");
  // Behind the statement only space, semicolons and comments may follow.
  for (const char* end = sql.data() + sql.size(); rest < end;) {
    const char* const from = rest;
    sqlite3_stmt* second = nullptr;
    const int code = sqlite3_prepare_v3(connection_.get(), rest, static_cast<int>(end - rest), 0,
                                        &second, &rest);
    const bool nothing = code == SQLITE_OK && !second;
    sqlite3_finalize(second);
    if (!nothing || rest == from) {  // a zero byte ends SQLite's reading
      throw Error(
          Errc::internal,
          fmt::format("One statement at a time: this SQL text holds more than one: {}", sql));
    }
  }
  fresh.parameters = read_parameters(handle, sql);
  fresh.text = sql;
  fresh.own = own_statement_;

  while (std::ssize(statements_) >= config_.statement_cache) {
    by_text_.erase(statements_.back().text);
    statements_.pop_back();
  }
  statements_.push_front(std::move(fresh));
  by_text_.emplace(statements_.front().text, statements_.begin());
  return statements_.front();
}

bool Connection::is_read(const Prepared& statement) {
  return sqlite3_stmt_readonly(statement.handle.get()) != 0;
}

int& Connection::runs_elsewhere(Prepared& statement) {
  return statement.runs_elsewhere;
}

// Text and bytes are bound without a copy: every run binds every parameter again.
void Connection::bind(Prepared& statement, std::span<const Cell> values) {
  if (values.size() != statement.parameters.size()) {
    throw Error(Errc::internal,
                fmt::format("The statement has {} parameters but {} values were given: "
                            "{}",
                            statement.parameters.size(), values.size(), statement.text));
  }
  sqlite3_stmt* const to = statement.handle.get();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int index = statement.parameters[i];
    const auto bind_one = [&](const auto& value) -> int {
      using T = std::decay_t<decltype(value)>;
      if constexpr (std::is_same_v<T, std::monostate>) {
        return sqlite3_bind_null(to, index);
      } else if constexpr (std::is_same_v<T, bool>) {
        return sqlite3_bind_int(to, index, value ? 1 : 0);
      } else if constexpr (std::is_same_v<T, std::int64_t>) {
        return sqlite3_bind_int64(to, index, value);
      } else if constexpr (std::is_same_v<T, double>) {
        if (std::isnan(value)) {
          throw Error(Errc::invalid,
                      "A value is not a number (NaN), which the database cannot store.");
        }
        return sqlite3_bind_double(to, index, value);
      } else if constexpr (std::is_same_v<T, std::string_view>) {
        return sqlite3_bind_text64(to, index, value.data() ? value.data() : "", value.size(),
                                   SQLITE_STATIC, SQLITE_UTF8);
      } else if constexpr (std::is_same_v<T, Timestamp>) {
        const std::string text = to_string(value);
        return sqlite3_bind_text64(to, index, text.data(), text.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
      } else {
        return value.empty()
                   ? sqlite3_bind_zeroblob(to, index, 0)
                   : sqlite3_bind_blob64(to, index, value.data(), value.size(), SQLITE_STATIC);
      }
    };
    if (std::visit(bind_one, values[i]) != SQLITE_OK) fail(statement.text);
  }
}

Outcome Connection::run(Prepared& statement, std::span<const Cell> values, RowSink* rows) {
  sqlite3* const handle = connection_.get();
  sqlite3_stmt* const stepped = statement.handle.get();
  const auto begin =
      config_.echo ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point{};
  const struct Reset {
    sqlite3_stmt* statement;
    ~Reset() { sqlite3_reset(statement); }
  } reset{stepped};

  bind(statement, values);
  sqlite3_stmt_status(stepped, SQLITE_STMTSTATUS_VM_STEP, 1);  // a guest's opcodes count from here
  const std::int64_t changes = sqlite3_total_changes64(handle);
  std::int64_t count = 0;
  for (bool first = true;; first = false) {
    const int code = sqlite3_step(stepped);
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(statement.text);
    if (first && rows) {
      statement.read_names();
      if (!statement.names.empty()) rows->columns(statement.names);
    }
    if (code == SQLITE_DONE) break;
    ++count;
    if (!rows) continue;
    statement.read_row();
    rows->row(statement.row);
  }

  Outcome outcome;
  if (sqlite3_total_changes64(handle) != changes) {
    outcome.affected = sqlite3_changes64(handle);
    outcome.last_insert_id = sqlite3_last_insert_rowid(handle);
  }
  if (config_.echo) {
    log::info("sql", "sql", statement.text, "took", std::chrono::steady_clock::now() - begin,
              "rows", count, "changed", outcome.affected);
  }
  return outcome;
}

bool Connection::step(Prepared& statement, RowSink& rows) {
  const int code = sqlite3_step(statement.handle.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) fail(statement.text);
  statement.read_names();
  rows.columns(statement.names);
  if (code == SQLITE_DONE) return false;
  statement.read_row();
  rows.row(statement.row);
  return true;
}

int Connection::control(std::string_view sql) noexcept {
  own_statement_ = true;
  int code = SQLITE_OK;
  try {
    const Prepared& statement = prepare(sql);
    code = sqlite3_step(statement.handle.get());
    sqlite3_reset(statement.handle.get());
    if (code == SQLITE_DONE || code == SQLITE_ROW) code = SQLITE_OK;
  } catch (const std::exception&) {
    code = sqlite3_extended_errcode(connection_.get());
    if (code == SQLITE_OK) code = SQLITE_NOMEM;
  }
  own_statement_ = false;
  if (config_.echo) log::info("sql", "sql", sql);
  return code;
}

std::string Connection::text(std::string_view sql) {
  sqlite3_stmt* const statement = prepare(sql).handle.get();
  const int code = sqlite3_step(statement);
  std::string value;
  if (code == SQLITE_ROW) {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    if (data) value.assign(data, static_cast<std::size_t>(sqlite3_column_bytes(statement, 0)));
  } else if (code != SQLITE_DONE) {
    const Failure failure = last_failure(sql);
    sqlite3_reset(statement);
    throw failure;
  }
  sqlite3_reset(statement);
  return value;
}

}  // namespace aegis::db::sqlite
