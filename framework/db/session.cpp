#include "aegis/db/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <utility>

#include "aegis/core/error.h"
#include "db/key.h"
#include "db/row_reader.h"

namespace aegis {
namespace {

/// The values of a row, in a coroutine's frame. (Small: Asio recycles frames of up to 1020 bytes.)
using Cells = boost::container::small_vector<Cell, 12>;

/// Longer statements gain nothing, and would push others out of the statement cache's memory.
constexpr std::size_t most_rows_at_once = 500;

/// From that many on a way of the database's own is faster, where it has one.
constexpr std::size_t many_rows = 1000;

/// Appends the row's columns in order, but `without`.
template <class Container>
void append_cells(Container& cells, const Table& table, const void* row, const Field* without) {
  for (const Field& field : table.object->fields) {
    if (&field != without) cells.push_back(field.type->to_cell(field.of(row)));
  }
}

}  // namespace

Session::Session(std::unique_ptr<db::Link> link, db::Driver& driver, SessionOptions options)
    : link_(std::move(link)), driver_(&driver), options_(options) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

awaitable<db::Outcome> Session::run(const db::Statement& statement, db::RowSink& rows) {
  check_usable();
  if (statement.writes) {
    if (options_.read_only) {
      throw Error(Errc::invalid, fmt::format("This session is for reading only; it cannot run: {}",
                                             statement.sql));
    }
    in_transaction_ = true;
  }
  if (const auto most = driver_->dialect().max_parameters(); statement.values.size() > most) {
    throw Error(Errc::invalid, fmt::format("A statement can have {} values at most, but this one "
                                           "has {}; split it.",
                                           most, statement.values.size()));
  }
  try {
    co_return co_await link_->run(statement, rows);
  } catch (const std::exception& error) {
    if (in_transaction_) failure_ = error.what();
    throw;
  }
}

std::unique_ptr<db::RowStream> Session::stream(const db::Statement& statement) {
  check_usable();
  if (statement.writes) {
    throw Error(Errc::invalid,
                fmt::format("Only what reads can be a stream, not: {}", statement.sql));
  }
  return link_->stream(statement);
}

void Session::check_usable() const {
  if (failure_.empty()) return;
  throw Error(Errc::internal,
              fmt::format("A statement of this session failed before, so that its transaction can "
                          "only be rolled back; end the session, or call rollback(). It failed "
                          "with: {}",
                          failure_));
}

awaitable<void> Session::commit() {
  check_usable();
  if (savepoints_ > 0) {
    throw Error(Errc::internal, "commit() inside of a savepoint: its end comes first.");
  }
  try {
    if (!driver_->notifies_in_process()) {
      for (const auto& [channel, payload] : notifications_) {
        co_await link_->notify(channel, payload);
      }
    }
    co_await link_->commit();
  } catch (const std::exception& error) {
    failure_ = error.what();
    throw;
  }
  link_->has_stored |= std::exchange(in_transaction_, false);
  const auto sent = std::exchange(notifications_, {});
  if (driver_->notifies_in_process()) {
    for (const auto& [channel, payload] : sent) driver_->notifications()->deliver(channel, payload);
  }
  for (const auto& then : std::exchange(after_commit_, {})) then();
}

void Session::notify(std::string channel, std::string payload) {
  check_usable();
  if (options_.read_only) {
    throw Error(Errc::invalid, "This session is for reading only; it cannot notify.");
  }
  db::check_channel(channel);
  db::check_payload(payload);
  std::pair notification(std::move(channel), std::move(payload));
  if (std::ranges::find(notifications_, notification) != notifications_.end()) return;
  notifications_.push_back(std::move(notification));
}

awaitable<void> Session::rollback() {
  if (savepoints_ > 0) {
    throw Error(Errc::internal,
                "rollback() inside of a savepoint: throw an exception to undo what it did.");
  }
  co_await link_->rollback();
  in_transaction_ = false;
  after_commit_.clear();
  failure_.clear();
  notifications_.clear();
}

awaitable<void> Session::run_savepoint(FunctionRef<awaitable<void>()> body) {
  check_usable();
  if (options_.read_only) {
    throw Error(Errc::invalid, "This session is for reading only; it needs no savepoint.");
  }
  co_await link_->begin();
  in_transaction_ = true;
  const int depth = ++savepoints_;
  const auto notifications = notifications_.size();
  const auto calls = after_commit_.size();
  co_await link_->savepoint(depth);

  std::exception_ptr thrown;
  try {
    co_await body();
    check_usable();  // a failure that the body hides is one all the same
  } catch (...) {
    thrown = std::current_exception();
  }
  savepoints_ = depth - 1;
  if (!thrown) co_return co_await link_->release(depth);
  co_await link_->rollback_to(depth);
  failure_.clear();
  notifications_.resize(notifications);
  after_commit_.resize(calls);
  std::rethrow_exception(thrown);
}

awaitable<void> Session::insert_row(const Table& table, void* row) {
  const db::RowStatements& statements = driver_->dialect().row_statements(table);
  const bool needs_key = db::needs_key(table, row);
  Cells cells;
  append_cells(cells, table, row, needs_key ? &table.key() : nullptr);
  auto store_key = [&](const Cell& key) { db::store_key(table, row, key); };
  db::OneColumn key(store_key);  // where the statement answers it
  const db::Outcome outcome =
      co_await run({needs_key ? statements.insert : statements.insert_with_key, cells, true}, key);
  if (needs_key && driver_->dialect().key_by_last_insert_id()) store_key(outcome.last_insert_id);
}

awaitable<void> Session::insert_rows(const Table& table, const Type& type, void* rows) {
  std::vector<void*> with_key, without_key;
  for (std::size_t i = 0; i < type.size(rows); ++i) {
    void* row = const_cast<void*>(type.at(rows, i));
    (db::needs_key(table, row) ? without_key : with_key).push_back(row);
  }
  co_await insert_many(table, with_key, true);
  co_await insert_many(table, without_key, false);
}

awaitable<bool> Session::insert_by_link(const Table& table, std::span<void* const> rows,
                                        bool with_key) {
  check_usable();
  if (options_.read_only) co_return false;  // which run() refuses
  in_transaction_ = true;
  try {
    co_return co_await link_->insert_rows(table, rows, with_key);
  } catch (const std::exception& error) {
    failure_ = error.what();
    throw;
  }
}

awaitable<void> Session::copy_in(std::string sql, FunctionRef<awaitable<bool>(std::string&)> next) {
  check_usable();
  if (options_.read_only) {
    throw Error(Errc::invalid,
                fmt::format("This session is for reading only; it cannot run: {}", sql));
  }
  in_transaction_ = true;
  try {
    co_await link_->copy_in(sql, next);
  } catch (const std::exception& error) {
    failure_ = error.what();
    throw;
  }
}

awaitable<void> Session::copy_out(std::string sql,
                                  FunctionRef<awaitable<void>(std::string_view)> take) {
  check_usable();
  try {
    co_await link_->copy_out(sql, take);
  } catch (const std::exception& error) {
    if (in_transaction_) failure_ = error.what();
    throw;
  }
}

awaitable<void> Session::insert_many(const Table& table, std::span<void* const> rows,
                                     bool with_key) {
  if (rows.size() >= many_rows && co_await insert_by_link(table, rows, with_key)) co_return;
  const Field* without = with_key ? nullptr : &table.key();
  const std::size_t columns = table.object->fields.size() - (without ? 1 : 0);
  const std::size_t at_once =
      columns == 0 ? 1 : std::min(most_rows_at_once, driver_->dialect().max_parameters() / columns);
  std::string sql;
  std::size_t rows_in_sql = 0;
  std::vector<Cell> cells;
  std::vector<std::int64_t> keys;
  while (!rows.empty()) {
    const auto batch = rows.first(std::min(at_once, rows.size()));
    rows = rows.subspan(batch.size());
    if (rows_in_sql != batch.size()) {
      sql = driver_->dialect().insert_many(table, batch.size(), with_key);
      rows_in_sql = batch.size();
    }
    cells.clear();
    for (const void* row : batch) append_cells(cells, table, row, without);
    keys.clear();
    auto keep_key = [&](const Cell& key) { keys.push_back(std::get<std::int64_t>(key)); };
    db::OneColumn answered(keep_key);
    co_await run({sql, cells, true}, answered);
    if (with_key) continue;

    // The database gives rising keys in the order of VALUES, but answers them in any order.
    std::ranges::sort(keys);
    if (keys.size() != batch.size()) {
      throw Error(Errc::internal,
                  fmt::format("{} rows were inserted into {}, but {} keys came back.", batch.size(),
                              table.name, keys.size()));
    }
    for (std::size_t i = 0; i < batch.size(); ++i) db::store_key(table, batch[i], keys[i]);
  }
}

awaitable<void> Session::update_row(const Table& table, const void* row) {
  const Cell key = db::key_of(table, row);
  Cells cells;
  append_cells(cells, table, row, &table.key());
  cells.push_back(key);
  db::NoRows none;
  const db::Outcome outcome =
      co_await run({driver_->dialect().row_statements(table).update, cells, true}, none);
  if (outcome.affected == 0) db::throw_not_found(table, key);
}

awaitable<void> Session::upsert_row(const Table& table, void* row, std::string_view conflict) {
  const auto fields = table.object->fields;
  const auto index = std::ranges::find(fields, conflict, &Field::name) - fields.begin();
  const auto& statements = driver_->dialect().row_statements(table);
  if (statements.upsert[index].insert_with_key.empty()) {
    throw Error(Errc::internal, fmt::format("upsert() by {}.{} needs a column that is unique.",
                                            table.name, conflict));
  }
  const bool needs_key = db::needs_key(table, row);
  if (needs_key && conflict == table.key().name) co_return co_await insert_row(table, row);

  Cells cells;
  append_cells(cells, table, row, needs_key ? &table.key() : nullptr);
  auto store_key = [&](const Cell& key) { db::store_key(table, row, key); };
  db::OneColumn key(store_key);
  const auto& upsert = statements.upsert[index];
  co_await run({needs_key ? upsert.insert : upsert.insert_with_key, cells, true}, key);
}

namespace detail {

awaitable<void> fetch_by_key(Session& session, const Table& table, Cell key, bool for_update,
                             Target target) {
  const db::RowStatements& statements = session.driver().dialect().row_statements(table);
  db::RowReader reader(target, table);
  co_await session.run(
      {for_update ? statements.get_for_update : statements.get, {&key, 1}, for_update}, reader);
  if (target.rows == Target::Rows::one && reader.count() == 0) db::throw_not_found(table, key);
}

awaitable<void> erase_by_key(Session& session, const Table& table, Cell key) {
  db::NoRows none;
  const db::Outcome outcome = co_await session.run(
      {session.driver().dialect().row_statements(table).erase, {&key, 1}, true}, none);
  if (outcome.affected == 0) db::throw_not_found(table, key);
}

}  // namespace detail
}  // namespace aegis
