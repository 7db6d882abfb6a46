#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <vector>

#include "aegis/core/awaitable.h"
#include "aegis/core/json.h"
#include "aegis/db/table.h"

/// The typed query builder. Each builder is a plain description of a statement (the *Query structs,
/// turned into SQL by the dialect) and a thin typed face that a Session hands out.
namespace aegis {

class Session;

/// One part of a longer list, and how to ask for the next one.
template <class T>
struct Page {
  std::vector<T> items{};
  std::optional<std::string> next{};  ///< the cursor of the next page; empty on the last one

  AEGIS_FIELDS(Page, (items), (next))
};

struct SelectQuery {
  const Table* table = nullptr;
  Condition where{};
  std::vector<Order> order{};
  std::optional<std::int64_t> limit{};
  std::optional<std::int64_t> offset{};
  bool for_update = false;  ///< lock the rows until the transaction ends (SQLite: take the writer)
};

struct UpdateQuery {
  struct Assignment {
    std::string_view column;
    Value value;
  };
  const Table* table = nullptr;
  std::vector<Assignment> set{};
  Condition where{};
};

struct DeleteQuery {
  const Table* table = nullptr;
  Condition where{};
};

/// Where fetched objects go: `next` makes room for one and returns its address.
struct Target {
  const Type* type;  ///< object: filled by column name; scalar: the first column
  void* container;
  void* (*next)(void* container);
};

namespace detail {

template <class T>
Target into(std::vector<T>& rows) {
  return {&type_of<T>(), &rows,
          [](void* v) -> void* { return &static_cast<std::vector<T>*>(v)->emplace_back(); }};
}
template <class T>
Target into(std::optional<T>& row) {
  return {&type_of<T>(), &row,
          [](void* o) -> void* { return &static_cast<std::optional<T>*>(o)->emplace(); }};
}

awaitable<void> fetch(Session& session, SelectQuery query, Target target);
awaitable<void> fetch_by_key(Session& session, const Table& table, Value key, bool for_update,
                             Target target);
awaitable<void> fetch_sql(Session& session, std::string sql, std::vector<Value> values,
                          Target target);
awaitable<std::optional<std::string>> fetch_page(Session& session, SelectQuery query,
                                                 std::optional<std::string> cursor,
                                                 const Type& rows, void* items);
awaitable<std::int64_t> count(Session& session, SelectQuery query);
awaitable<std::int64_t> modify(Session& session, UpdateQuery query);
awaitable<std::int64_t> modify(Session& session, DeleteQuery query);
awaitable<void> modify_returning(Session& session, UpdateQuery query, Target target);
awaitable<void> modify_returning(Session& session, DeleteQuery query, Target target);
/// Throws Error(not_found), which names the table and, when there is one, the key.
[[noreturn]] void throw_not_found(const Table& table, const Value* key);

template <class T>
Value value_of(const T& v) {
  if constexpr (std::is_same_v<T, std::nullopt_t> || std::is_same_v<T, Value>) {
    return Value(v);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string(std::string_view(v));
  } else {
    return to_value(type_of<T>().to_cell(&v));
  }
}
template <class... Args>
std::vector<Value> values(const Args&... args) {
  std::vector<Value> all;
  all.reserve(sizeof...(args));
  (all.push_back(value_of(args)), ...);
  return all;
}

template <class T>
awaitable<std::vector<T>> fetch_all(Session& session, SelectQuery query) {
  std::vector<T> rows;
  co_await fetch(session, std::move(query), into(rows));
  co_return rows;
}
template <class T>
awaitable<std::optional<T>> fetch_first(Session& session, SelectQuery query) {
  std::optional<T> row;
  query.limit = 1;
  co_await fetch(session, std::move(query), into(row));
  co_return row;
}
template <class T>
awaitable<T> fetch_one(Session& session, SelectQuery query) {
  std::optional<T> row;
  const Table& table = *query.table;
  query.limit = 1;
  co_await fetch(session, std::move(query), into(row));
  if (!row) throw_not_found(table, nullptr);
  co_return std::move(*row);
}
template <class T>
awaitable<Page<T>> fetch_one_page(Session& session, SelectQuery query,
                                  std::optional<std::string> cursor) {
  Page<T> page;
  page.next = co_await fetch_page(session, std::move(query), std::move(cursor),
                                  type_of<std::vector<T>>(), &page.items);
  co_return page;
}
template <class T>
awaitable<std::optional<T>> find_row(Session& session, Value key) {
  std::optional<T> row;
  co_await fetch_by_key(session, table_of<T>(), std::move(key), false, into(row));
  co_return row;
}
template <class T>
awaitable<T> get_row(Session& session, Value key, bool for_update) {
  std::optional<T> row;
  co_await fetch_by_key(session, table_of<T>(), key, for_update, into(row));
  if (!row) throw_not_found(table_of<T>(), &key);
  co_return std::move(*row);
}
template <class T>
awaitable<std::vector<T>> query_rows(Session& session, std::string sql, std::vector<Value> values) {
  std::vector<T> rows;
  co_await fetch_sql(session, std::move(sql), std::move(values), into(rows));
  co_return rows;
}
template <class T, class Query>
awaitable<std::vector<T>> modify_rows(Session& session, Query query) {
  std::vector<T> rows;
  co_await modify_returning(session, std::move(query), into(rows));
  co_return rows;
}

}  // namespace detail

/// SELECT of whole rows. Nothing runs before all(), first(), one(), page(), count() or exists().
template <Model T>
class Select {
 public:
  explicit Select(Session& session) : session_(&session) { query_.table = &table_of<T>(); }

  /// Rows must satisfy this, and every earlier condition.
  Select& where(Condition condition) {
    query_.where = std::move(query_.where) && std::move(condition);
    return *this;
  }
  template <std::same_as<Order>... Orders>
  Select& order_by(Orders... orders) {
    (query_.order.push_back(orders), ...);
    return *this;
  }
  /// At most `rows` rows.
  Select& limit(std::int64_t rows) {
    query_.limit = rows;
    return *this;
  }
  /// Skips `rows` rows. For long lists page() is faster and does not shift under writes.
  Select& offset(std::int64_t rows) {
    query_.offset = rows;
    return *this;
  }
  /// Locks the rows until the session ends, so that what was read cannot change before it is
  /// written back. Begins the session's write transaction.
  Select& for_update() {
    query_.for_update = true;
    return *this;
  }

  awaitable<std::vector<T>> all() { return detail::fetch_all<T>(*session_, query_); }
  awaitable<std::optional<T>> first() { return detail::fetch_first<T>(*session_, query_); }
  /// The first row. Throws Error(not_found) when there is none.
  awaitable<T> one() { return detail::fetch_one<T>(*session_, query_); }
  /// Keyset paging: limit() rows (50 by default) after `cursor`, the `next` of the page before.
  /// The key is added to the order, so that the order is total. Throws Error(invalid) for a cursor
  /// that this query did not give.
  awaitable<Page<T>> page(std::optional<std::string> cursor = std::nullopt) {
    return detail::fetch_one_page<T>(*session_, query_, std::move(cursor));
  }
  awaitable<std::int64_t> count() { return detail::count(*session_, query_); }

 private:
  Session* session_;
  SelectQuery query_;
};

/// UPDATE of all rows that satisfy the conditions.
template <Model T>
class Update {
 public:
  explicit Update(Session& session) : session_(&session) { query_.table = &table_of<T>(); }

  template <class M, std::size_t I>
  Update& set(Column<T, M, I> column, const typename Column<T, M, I>::Plain& value) {
    query_.set.push_back({column.name(), column.value(value)});
    return *this;
  }
  template <class M, std::size_t I>
  Update& set(Column<T, M, I> column, std::nullopt_t) {
    query_.set.push_back({column.name(), Value{}});
    return *this;
  }
  Update& where(Condition condition) {
    query_.where = std::move(query_.where) && std::move(condition);
    return *this;
  }
  /// Answers how many rows were changed.
  awaitable<std::int64_t> run() { return detail::modify(*session_, query_); }
  /// Answers the rows as they are afterwards.
  awaitable<std::vector<T>> returning() { return detail::modify_rows<T>(*session_, query_); }

 private:
  Session* session_;
  UpdateQuery query_;
};

/// DELETE of all rows that satisfy the conditions.
template <Model T>
class Delete {
 public:
  explicit Delete(Session& session) : session_(&session) { query_.table = &table_of<T>(); }

  Delete& where(Condition condition) {
    query_.where = std::move(query_.where) && std::move(condition);
    return *this;
  }
  /// Answers how many rows were deleted.
  awaitable<std::int64_t> run() { return detail::modify(*session_, query_); }
  /// Answers the rows as they were.
  awaitable<std::vector<T>> returning() { return detail::modify_rows<T>(*session_, query_); }

 private:
  Session* session_;
  DeleteQuery query_;
};

}  // namespace aegis
