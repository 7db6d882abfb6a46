// Queries as the builders (Select, Update, Delete) and raw SQL hand them over: gathered, then run.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "aegis/core/error.h"
#include "aegis/db/session.h"
#include "db/cursor.h"
#include "db/key.h"
#include "db/row_reader.h"
#include "db/sql_text.h"

namespace aegis::detail {
namespace {

constexpr std::int64_t default_page = 50;  // rows

std::int64_t not_negative(std::int64_t rows, std::string_view what) {
  if (rows < 0) {
    throw Error(Errc::invalid, fmt::format("The {} must not be negative, but is {}.", what, rows));
  }
  return rows;
}

}  // namespace

struct AnyQuery::Content {
  Session* session;
  Verb verb = Verb::select;
  db::Query query{};
  std::optional<std::string> cursor{};

  // Raw SQL instead of a verb and a query; not empty then.
  std::string sql{};
  std::vector<Value> parameters{};

  /// The statement, as the database's dialect has it; borrows from this.
  db::Sql text(bool returning) const {
    const db::Dialect& dialect = session->driver().dialect();
    if (!sql.empty()) {
      db::Sql text{sql};
      text.values.reserve(parameters.size());
      for (const Value& value : parameters) text.values.push_back(as_cell(value));
      return text;
    }
    switch (verb) {
      case Verb::update:
        return dialect.update(query, returning);
      case Verb::remove:
        return dialect.remove(query, returning);
      case Verb::select:
        break;
    }
    return dialect.select(query);
  }
  bool writes() const {
    if (!sql.empty()) {
      db::refuse_settings(sql);
      return db::writes(sql);
    }
    return verb != Verb::select || query.for_update;
  }
};

AnyQuery::AnyQuery(Session& session, const Table& table, Verb verb)
    : content_(new Content{.session = &session, .verb = verb, .query = {.table = &table}}) {}

AnyQuery::AnyQuery(Session& session, std::string sql, std::span<const Cell> parameters)
    : content_(new Content{.session = &session, .sql = std::move(sql)}) {
  if (content_->sql.empty()) throw Error(Errc::internal, "The SQL text is empty.");
  content_->parameters.reserve(parameters.size());
  for (const Cell& cell : parameters) content_->parameters.push_back(to_value(cell));
}

AnyQuery::AnyQuery(const AnyQuery& other) : content_(new Content(*other.content_)) {}
AnyQuery::AnyQuery(AnyQuery&&) noexcept = default;
AnyQuery& AnyQuery::operator=(AnyQuery other) noexcept {
  content_ = std::move(other.content_);
  return *this;
}
AnyQuery::~AnyQuery() = default;

void AnyQuery::where(Condition condition) {
  auto& all = content_->query.where;
  all = std::move(all) && std::move(condition);
}
void AnyQuery::order_by(Order order) {
  content_->query.order.push_back(order);
}
void AnyQuery::limit(std::int64_t rows) {
  content_->query.limit = not_negative(rows, "limit");
}
void AnyQuery::offset(std::int64_t rows) {
  content_->query.offset = not_negative(rows, "offset");
}
void AnyQuery::for_update() {
  content_->query.for_update = true;
}
void AnyQuery::set(std::string_view column, const Cell& value) {
  content_->query.set.push_back({column, to_value(value)});
}

AnyQuery AnyQuery::after(std::optional<std::string> cursor) const {
  AnyQuery query(*this);
  query->cursor = std::move(cursor);
  return query;
}

namespace {

/// One row more than the page has: whether there is a next one.
awaitable<void> fetch_page(AnyQuery& query, Target target) {
  db::Query& select = query->query;
  const std::string_view key = select.table->key().name;
  if (std::ranges::find(select.order, key, &Order::column) == select.order.end()) {
    select.order.push_back({key, !select.order.empty() && select.order.back().descending});
  }
  if (select.offset) {
    throw Error(Errc::internal, "page() goes on from a cursor; it takes no offset().");
  }
  const std::int64_t rows = select.limit.value_or(default_page);
  if (rows == 0 || rows == std::numeric_limits<std::int64_t>::max()) {
    throw Error(Errc::invalid, fmt::format("A page cannot have {} rows.", rows));
  }
  select.limit = rows + 1;
  if (query->cursor) db::read_cursor(*query->cursor, select);

  const db::Sql sql = query->text(false);
  db::RowReader reader(target, *select.table);
  reader.keep_at_most(static_cast<std::size_t>(rows));
  co_await query->session->run({sql.text, sql.values, query->writes()}, reader);
  if (reader.count() > static_cast<std::size_t>(rows)) {
    *target.cursor = db::write_cursor(select, reader.last());
  }
}

}  // namespace

awaitable<void> fetch(AnyQuery& query, Target target) {
  if (target.rows == Target::Rows::page) co_return co_await fetch_page(query, target);

  const Table* table = query->query.table;
  if (target.rows != Target::Rows::all) {
    auto& limit = query->query.limit;
    limit = std::min<std::int64_t>(limit.value_or(1), 1);
  }
  const db::Sql sql = query->text(true);
  db::RowReader reader = table ? db::RowReader(target, *table) : db::RowReader(target);
  co_await query->session->run({sql.text, sql.values, query->writes()}, reader);
  if (target.rows == Target::Rows::one && reader.count() == 0) db::throw_not_found(*table);
}

struct AnyStream::Content {
  explicit Content(AnyQuery of) : query(std::move(of)) {}

  AnyQuery query;
  db::Sql sql{};
  std::unique_ptr<db::RowStream> rows{};
};

AnyStream::AnyStream(AnyQuery query) : content_(new Content(std::move(query))) {}
AnyStream::AnyStream(AnyStream&&) noexcept = default;
AnyStream& AnyStream::operator=(AnyStream&&) noexcept = default;
AnyStream::~AnyStream() = default;

awaitable<void> next_part(AnyStream& stream, Target target) {
  AnyStream::Content& content = *stream;
  AnyQuery& query = content.query;
  if (!content.rows) {
    content.sql = query->text(false);
    content.rows = query->session->stream({content.sql.text, content.sql.values, query->writes()});
  }
  const Table* table = query->query.table;
  db::RowReader reader = table ? db::RowReader(target, *table) : db::RowReader(target);
  while (reader.count() == 0 && co_await content.rows->next(reader)) {
  }
}

awaitable<std::int64_t> run(AnyQuery query) {
  const db::Sql sql = query->text(false);
  db::NoRows none;
  const db::Outcome outcome =
      co_await query->session->run({sql.text, sql.values, query->writes()}, none);
  co_return outcome.affected;
}

namespace {

/// Runs a SELECT of one value.
template <class T>
awaitable<T> fetch_value(Session& session, db::Sql sql) {
  T value{};
  db::RowReader reader({.rows = Target::Rows::first,
                        .type = &type_of<T>(),
                        .container = &value,
                        .next = [](void* one) { return one; },
                        .clear = [](void*) {}});
  co_await session.run({sql.text, sql.values, false}, reader);
  co_return value;
}

}  // namespace

awaitable<std::int64_t> count(AnyQuery query) {
  Session& session = *query->session;
  co_return co_await fetch_value<std::int64_t>(session,
                                               session.driver().dialect().count(query->query));
}

awaitable<bool> exists(AnyQuery query) {
  Session& session = *query->session;
  co_return co_await fetch_value<bool>(session, session.driver().dialect().exists(query->query));
}

}  // namespace aegis::detail
