#include "db/postgres/link.h"

#include <fmt/format.h>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "core/run_on.h"
#include "db/key.h"
#include "db/postgres/stream.h"
#include "db/row_reader.h"
#include "db/sql_scanner.h"
#include "db/sql_text.h"

namespace aegis::db::postgres {

namespace asio = boost::asio;

namespace {

constexpr std::size_t copy_part = 1 << 16;     // bytes
constexpr std::size_t large_answer = 1 << 20;  // bytes; more delays the others on a lane

/// The session is one transaction, whatever it does.
bool one_snapshot(const SessionOptions& options) {
  return options.isolation != Isolation::read_committed;
}

bool same_context(const asio::any_io_executor& a, const asio::any_io_executor& b) {
  return &asio::query(a, asio::execution::context) == &asio::query(b, asio::execution::context);
}

// What a failed statement says of itself.
[[noreturn]] void raise(const Request& request) {
  if (!request.failure) throw Failure(Errc::internal, "The statement failed without a reason.");
  log_statement(*request.failure, request.sql);
  throw Failure(*request.failure);
}

void check_not_dropped(const Request& request) {
  if (request.end != End::dropped) return;
  throw boost::system::system_error(asio::error::operation_aborted);
}

/// Tells the pool when the COMMIT is answered of a connection that is another session's already.
struct Committing {
  ~Committing() { pool.committed(connection); }
  Pool& pool;
  const Connection& connection;
};

/// COPY is sent as it is, and another statement would be run, not copied.
void check_copy(std::string_view sql, std::string_view direction) {
  const bool one = split_statements(sql).size() == 1;
  if (one && boost::algorithm::istarts_with(sql, "COPY ") &&
      boost::algorithm::icontains(sql, direction)) {
    return;
  }
  throw Error(Errc::invalid,
              fmt::format("This is not one statement COPY … {}: {}", direction, shortened(sql)));
}

/// Whether it sets how long the statements of its transaction may take.
bool limits_time(std::string_view sql) {
  SqlScanner tokens(sql);
  if (!tokens.next().is("SET") && sql.find("set_config") == sql.npos) return false;
  for (auto token = tokens.next(); token.kind != SqlToken::Kind::end; token = tokens.next()) {
    if (token.is("STATEMENT_TIMEOUT") || token.text == "'statement_timeout'") return true;
  }
  return false;
}

/// COPY to and from the client has a protocol of its own.
void refuse_copy(std::string_view sql) {
  SqlScanner tokens(sql);
  if (!tokens.next().is("COPY")) return;
  bool direction = false;
  for (auto token = tokens.next(); token.kind != SqlToken::Kind::end; token = tokens.next()) {
    if (direction && (token.is("STDIN") || token.is("STDOUT"))) {
      throw Error(Errc::invalid,
                  "COPY FROM STDIN is run by the session's copy_in(), COPY TO STDOUT by its "
                  "copy_out(); rows of a model are inserted by insert_all(). query() and execute() "
                  "cannot run it.");
    }
    direction = token.is("FROM") || token.is("TO");
  }
}

/// To be sent once more.
void start_over(Request& request) {
  request.end = End::pending;
  request.failure.reset();
  request.resume.reset();
}

}  // namespace

PostgresLink::PostgresLink(std::shared_ptr<Engine> engine, const SessionOptions& options,
                           std::optional<Milliseconds> patience)
    : engine_(std::move(engine)),
      options_(options),
      patience_(patience.value_or(engine_->config().pool_timeout)) {}

PostgresLink::~PostgresLink() {
  if (!connection_ || core_->closed()) return;
  // A migration may have left something in the connection itself: a lock, a setting.
  const bool spoilt = options_.may_take_long && !core_->config().rolled_back;
  // From whatever thread, at whatever moment.
  asio::post(core_->executor(), [core = core_, connection = std::move(connection_), spoilt] {
    spoilt ? core->pool().discard(connection) : core->pool().give_back(connection);
  });
}

Core& PostgresLink::core_for(const asio::any_io_executor& executor) {
  return core_ ? *core_ : engine_->core(executor);
}

awaitable<Outcome> PostgresLink::run(const Statement& statement, RowSink& rows) {
  check_not_copying();
  const auto here = co_await asio::this_coro::executor;
  Core& core = core_for(here);
  if (core_ || core.config().rolled_back) {  // only then can it be another context's
    if (!same_context(core.executor(), here)) {
      co_return co_await run_on(core.executor(), run(statement, rows));
    }
  }
  if (connection_ || statement.writes || one_snapshot(options_)) {
    co_return co_await run_in_transaction(core, statement, rows);
  }
  const bool no_lanes = core.config().rolled_back || core.config().transaction_pooling;
  if (no_lanes || core.is_slow(statement.sql)) {
    co_return co_await read_aside(core, statement, rows);
  }

  // A read outside a transaction. (Here, not in a coroutine of its own: it is the common case.)
  Request request(statement.sql, statement.values, &rows);
  int losses = 0;
  for (int attempt = 0;; ++attempt) {
    std::shared_ptr<Connection> lane = core.try_lane();
    if (!lane) lane = co_await core.lane(patience_);
    lane->send(request);
    co_await lane->answer(request);
    switch (request.end) {
      case End::done:
        if (request.thrown) std::rethrow_exception(request.thrown);
        core.count_read();
        if (request.answer_bytes > large_answer) core.remember_slow(statement.sql);
        co_return request.outcome;
      case End::dropped:
        throw boost::system::system_error(asio::error::operation_aborted);
      case End::aborted:
      case End::stale:
        request.alone = true;
        break;
      case End::lost:
        if (++losses > 2) raise(request);  // the other lane may break together with this one
        break;
      default:
        co_return co_await read_after_all(core, statement, rows, *request.failure);
    }
    if (attempt >= 5) raise(request);
    start_over(request);
  }
}

// A lane has refused the read: it writes, or takes too long.
awaitable<Outcome> PostgresLink::read_after_all(Core& core, Statement statement, RowSink& rows,
                                                Failure failure) {
  if (failure.is("25006")) {
    if (options_.read_only) {
      throw Error(Errc::invalid, fmt::format("This session is for reading only; it cannot run: {}",
                                             shortened(statement.sql)));
    }
    core.figures().reads_moved.fetch_add(1, std::memory_order_relaxed);
    co_return co_await run_in_transaction(core, statement, rows);
  }
  if (failure.is("57014")) {
    core.figures().reads_moved.fetch_add(1, std::memory_order_relaxed);
    core.remember_slow(statement.sql);
    co_return co_await read_aside(core, statement, rows);
  }
  log_statement(failure, statement.sql);
  throw failure;
}

// A read that would hold up the others on its lane: alone on a connection of the pool.
awaitable<Outcome> PostgresLink::read_aside(Core& core, Statement statement, RowSink& rows) {
  core.expect_ticks();
  const Connection::Holder holder{.where = options_.where, .origin = options_.origin};
  std::shared_ptr<Connection> connection;
  const struct GiveBack {
    Core& core;
    const std::shared_ptr<Connection>& connection;
    ~GiveBack() {
      if (connection) core.pool().give_back(connection);
    }
  } give_back{core, connection};
  Request request(statement.sql, statement.values, &rows);
  const bool nested = core.config().rolled_back;
  const bool once = nested || core.config().replica;  // there, the primary is asked
  bool was_stale = false;
  int losses = 0;
  for (;;) {
    if (!connection) connection = core.pool().try_acquire(holder);
    if (!connection) {
      connection = co_await core.pool().acquire(holder, core.shared_from_this());
    }
    connection->savepoint = nested;
    connection->send(nested ? "SAVEPOINT session" : "BEGIN READ ONLY");
    limit_time(*connection);
    connection->send(request);
    connection->send(nested ? "RELEASE SAVEPOINT session" : "COMMIT");
    connection->flush();
    co_await connection->answer(request);
    check_not_dropped(request);
    if (request.end == End::done) {
      connection->savepoint = false;
      if (request.thrown) std::rethrow_exception(request.thrown);
      co_return request.outcome;
    }
    if (request.end == End::stale && !std::exchange(was_stale, true)) {
      connection->send(nested ? "ROLLBACK TO SAVEPOINT session" : "ROLLBACK");
    } else if (request.end == End::lost && !once && ++losses <= 2) {
      connection.reset();  // the pool has let go of it
    } else {
      raise(request);
    }
    start_over(request);
  }
}

std::unique_ptr<RowStream> PostgresLink::stream(const Statement& statement) {
  return make_stream(*this, statement, ++streams_);
}

// Transactions.

awaitable<void> PostgresLink::acquire(Core& core) {
  core.expect_ticks();
  const Connection::Holder holder{.where = options_.where, .origin = options_.origin};
  connection_ = core.pool().try_acquire(holder);
  if (!connection_) {
    connection_ = co_await core.pool().acquire(holder, core.shared_from_this());
  }
  core_ = core.shared_from_this();
  begun_ = false;
}

void PostgresLink::give_back() {
  if (connection_) core_->pool().give_back(std::exchange(connection_, nullptr));
  core_.reset();
  begun_ = false;
}

void PostgresLink::check_usable() const {
  if (failure_.empty()) return;
  throw Error(Errc::internal,
              fmt::format("An earlier statement of the session failed, so its transaction can only "
                          "be rolled back: {}",
                          failure_));
}

void PostgresLink::check_not_copying() const {
  if (!copying_) return;
  throw Error(Errc::invalid,
              "Nothing else can be run while the session copies: the functions given to copy_in() "
              "and copy_out() need another session for that.");
}

void PostgresLink::fail(const Request& request) {
  try {
    if (request.thrown) std::rethrow_exception(request.thrown);
    if (request.end == End::lost) {
      throw Failure(Errc::unavailable,
                    fmt::format("{}; nothing of the transaction was stored, it can be run again",
                                request.failure->what()));
    }
    if (request.end == End::stale) {
      throw Failure(Errc::try_again,
                    fmt::format("a table was changed while the transaction ran ({}); run it again",
                                request.failure->what()));
    }
    raise(request);
  } catch (const std::exception& error) {
    failure_ = error.what();
    throw;
  }
}

awaitable<Outcome> PostgresLink::run_in_transaction(Core& core, Statement statement,
                                                    RowSink& rows) {
  check_usable();
  refuse_copy(statement.sql);
  const bool sets_limit = limits_time(statement.sql);
  Request request(statement.sql, statement.values, &rows);
  for (int attempt = 0;; ++attempt) {
    if (!connection_) co_await acquire(core);
    Connection& connection = *connection_;
    const bool first = !begun_;
    if (first) {
      begun_ = true;
      connection.send(core.config().rolled_back ? "SAVEPOINT session" : begin_statement());
      connection.savepoint = core.config().rolled_back;
      limit_time(connection);
    }
    if (sets_limit) connection.holder.limits_time = true;
    connection.send(request);
    connection.flush();
    co_await connection.answer(request);
    check_not_dropped(request);
    if (request.end == End::done && !request.thrown) co_return request.outcome;

    // Once more where nothing was done yet: the connection had died while it was idle, or the
    // statement was prepared for a table that has changed since.
    const bool again = first && attempt < 3 && !core.config().rolled_back &&
                       (request.end == End::lost || request.end == End::stale);
    if (!again) fail(request);
    give_back();
    start_over(request);
  }
}

awaitable<void> PostgresLink::begin() {
  if (connection_) co_return;
  NoRows none;
  co_await run({"SELECT 1", {}, true}, none);
}

awaitable<void> PostgresLink::commit() {
  if (!connection_) co_return;
  check_usable();
  co_await on_core(
      end_transaction(engine_->config().rolled_back ? "RELEASE SAVEPOINT session" : "COMMIT"));
}

awaitable<void> PostgresLink::rollback() {
  failure_.clear();
  if (!connection_) co_return;
  co_await on_core(end_transaction("ROLLBACK"));
}

void PostgresLink::limit_time(Connection& connection) const {
  const Config& config = engine_->config();
  if (!config.transaction_pooling) return;  // the connection has the limit
  connection.send(
      fmt::format("SET LOCAL statement_timeout = {}", config.statement_timeout.count()));
}

std::string PostgresLink::begin_statement() const {
  std::string sql = "BEGIN";
  if (options_.isolation == Isolation::repeatable_read) sql += " ISOLATION LEVEL REPEATABLE READ";
  if (options_.isolation == Isolation::serializable) sql += " ISOLATION LEVEL SERIALIZABLE";
  if (options_.read_only) sql += " READ ONLY";
  if (options_.deferrable) sql += " DEFERRABLE";
  return sql;
}

// Many rows at once.

awaitable<bool> PostgresLink::insert_rows(const Table& table, std::span<void* const> rows,
                                          bool with_key) {
  if (with_key) {
    co_await begin();
    check_usable();
    co_await on_core(copy_rows(table, rows, nullptr));
    co_return true;
  }
  // The server gives the keys while it copies, in the order of the rows: cheaper than to ask for
  // them first and to send them back. Which ones they were is told by the sequence.
  const std::string name = identifier(table.name);
  const std::array<Cell, 2> sequence{Cell(std::string_view(name)), Cell(table.key().name)};
  const auto before =
      co_await number({"SELECT nextval(pg_get_serial_sequence($1, $2)::regclass)", sequence, true});
  if (!before) co_return false;  // the key has no sequence
  co_await on_core(copy_rows(table, rows, &table.key()));
  const auto last =
      co_await number({"SELECT currval(pg_get_serial_sequence($1, $2)::regclass)", sequence, true});
  if (last && *last - *before == std::ssize(rows)) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      store_key(table, rows[i], *before + 1 + static_cast<std::int64_t>(i));
    }
  } else {
    co_await read_copied_keys(table, rows, *before, last.value_or(*before));
  }
  co_return true;
}

/// The first row's first value.
awaitable<std::optional<std::int64_t>> PostgresLink::number(Statement statement) {
  std::optional<std::int64_t> value;
  const auto keep = [&](const Cell& cell) {
    if (const auto* found = std::get_if<std::int64_t>(&cell)) value = *found;
  };
  OneColumn answered(keep);
  co_await run(statement, answered);
  co_return value;
}

// Others have taken keys in between. What the last COPY stored is known by the command that did it,
// and that by the last row.
awaitable<void> PostgresLink::read_copied_keys(const Table& table, std::span<void* const> rows,
                                               std::int64_t before, std::int64_t last) {
  std::size_t next = 0;
  const auto keep = [&](const Cell& cell) {
    const auto* key = std::get_if<std::int64_t>(&cell);
    if (key && next < rows.size()) store_key(table, rows[next], *key);
    ++next;
  };
  OneColumn answered(keep);
  const std::string sql = fmt::format(
      "SELECT t.{0} FROM {1} AS t JOIN {1} AS last ON last.{0} = $2 AND t.xmin = last.xmin AND "
      "t.cmin = last.cmin WHERE t.{0} > $1 AND t.{0} <= $2 ORDER BY t.{0}",
      identifier(table.key().name), identifier(table.name));
  const std::array<Cell, 2> range{Cell(before), Cell(last)};
  co_await run({sql, range, true}, answered);
  if (next == rows.size()) co_return;
  failure_ = fmt::format(
      "{} rows were copied into {}, but {} are found by the keys that its sequence gave: insert "
      "rows one by one where a trigger changes the key, or give them keys",
      rows.size(), table.name, next);
  throw Error(Errc::internal, failure_);
}

awaitable<void> PostgresLink::copy_rows(const Table& table, std::span<void* const> rows,
                                        const Field* without) {
  std::vector<const Field*> fields;
  for (const Field& field : table.object->fields) {
    if (&field != without) fields.push_back(&field);
  }
  std::string sql = "COPY " + identifier(table.name) + " (";
  for (const Field* field : fields) {
    if (field != fields.front()) sql += ", ";
    sql += identifier(field->name);
  }
  sql += ") FROM STDIN";
  std::size_t next = 0;
  const auto write_part = [&](std::string& part) -> awaitable<bool> {
    part.clear();
    while (next < rows.size() && part.size() < copy_part) {
      const void* row = rows[next++];
      for (const Field* field : fields) {
        append_copy_text(part, field->type->to_cell(field->of(row)));
        part += field == fields.back() ? '\n' : '\t';
      }
    }
    co_return !part.empty();
  };
  co_await run_copy(connection_->copy_in(sql, write_part));
}

awaitable<void> PostgresLink::run_copy(awaitable<void> copy) {
  const struct Copying {
    explicit Copying(bool& set) : flag(set) { flag = true; }
    ~Copying() { flag = false; }
    bool& flag;
  } copying(copying_);
  try {
    co_await std::move(copy);
  } catch (const std::exception& error) {
    failure_ = error.what();
    throw;
  }
}

awaitable<void> PostgresLink::copy_in(const std::string& sql,
                                      FunctionRef<awaitable<bool>(std::string&)> next) {
  check_copy(sql, "FROM STDIN");
  co_await begin();
  check_usable();
  co_await on_core(run_copy(connection_->copy_in(sql, next)));
}

awaitable<void> PostgresLink::copy_out(const std::string& sql,
                                       FunctionRef<awaitable<void>(std::string_view)> take) {
  check_copy(sql, "TO STDOUT");
  co_await begin();
  check_usable();
  co_await on_core(run_copy(connection_->copy_out(sql, take)));
}

awaitable<void> PostgresLink::notify(std::string_view channel, std::string_view payload) {
  if (!connection_) co_await begin();
  check_usable();
  co_await on_core(send_notification(channel, payload));
}

awaitable<void> PostgresLink::send_notification(std::string_view channel,
                                                std::string_view payload) {
  const std::array<Cell, 2> values{Cell(channel), Cell(payload)};
  connection_->send("SELECT pg_notify($1, $2)", values);
  co_return;
}

awaitable<void> PostgresLink::savepoint(int depth) {
  return on_core(send_along(fmt::format("SAVEPOINT nested_{}", depth)));
}

awaitable<void> PostgresLink::release(int depth) {
  return on_core(send_along(fmt::format("RELEASE SAVEPOINT nested_{}", depth)));
}

awaitable<void> PostgresLink::rollback_to(int depth) {
  failure_.clear();
  co_await on_core(send_along(fmt::format("ROLLBACK TO SAVEPOINT nested_{}", depth)));
  co_await release(depth);
}

// No answer is waited for: should it fail, so does the statement behind it.
awaitable<void> PostgresLink::send_along(std::string sql) {
  connection_->send(sql);
  co_return;
}

awaitable<void> PostgresLink::on_core(awaitable<void> work) {
  check_not_copying();
  if (same_context(core_->executor(), co_await asio::this_coro::executor)) {
    co_return co_await std::move(work);
  }
  co_await run_on(core_->executor(), std::move(work));
}

// A cancellation does not shorten it: what became of the transaction is worth knowing.
awaitable<void> PostgresLink::end_transaction(std::string_view sql) {
  const bool commits = sql != "ROLLBACK";
  if (!commits && core_->config().rolled_back) co_return give_back();  // which rolls back to there
  Request request(sql);
  const auto core = core_;
  const auto connection = connection_;
  const bool reached = connection->alive();
  const bool alone = connection->begins_batch();  // else it may be skipped, with what is before it
  connection->send(request);
  connection->flush();
  if (commits && alone && !core->config().rolled_back && core->pool().pass_on(connection)) {
    const Committing committing{core->pool(), *connection};
    connection_.reset();
    co_await connection->answer_surely(request);
  } else {
    co_await connection->answer_surely(request);
    if (request.end == End::done) connection->savepoint = false;
  }
  give_back();
  if (!commits) co_return;
  if (request.end == End::lost && reached) {
    throw Failure(Errc::unknown_outcome,
                  fmt::format("{}, while a commit was on its way: whether the transaction was "
                              "stored is not known; look before you run it again",
                              request.failure->what()));
  }
  if (request.end != End::done) fail(request);
  if (request.rolled_back) {
    throw Failure(Errc::internal, "The server rolled the transaction back instead of committing.");
  }
  core->figures().transactions.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace aegis::db::postgres
