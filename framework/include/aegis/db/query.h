#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aegis/core/awaitable.h"
#include "aegis/db/table.h"

/// The typed query builder. Its faces (Select, Update, Delete) are thin and typed; the query they
/// build, its SQL and its run are the library's own, so that a user's file compiles fast.
namespace aegis {

class Session;

/// One part of a longer list, and how to ask for the next one.
template <class T>
struct Page {
  std::vector<T> items{};
  std::optional<std::string> next{};  ///< the cursor of the next page; empty on the last one

  AEGIS_FIELDS(Page, (items), (next))
};

namespace detail {

/// Where fetched rows go.
struct Target {
  enum class Rows : std::uint8_t { one, first, all, page };

  Rows rows;         ///< one: none is Error(not_found)
  const Type* type;  ///< of a row: an object is filled by column name, a scalar by the first column
  void* container;
  void* (*next)(void* container);  ///< makes room for one more row
  void (*clear)(void* container);
  std::optional<std::string>* cursor = nullptr;  ///< of a page: where its `next` goes
};

template <Described T>
Target target(T& row) {
  return {Target::Rows::one, &type_of<T>(), &row, [](void* one) { return one; }, [](void*) {}};
}
template <class T>
Target target(std::optional<T>& row) {
  return {Target::Rows::first, &type_of<T>(), &row,
          [](void* first) -> void* { return &static_cast<std::optional<T>*>(first)->emplace(); },
          [](void* first) { static_cast<std::optional<T>*>(first)->reset(); }};
}
template <class T>
Target target(std::vector<T>& rows) {
  static_assert(!std::is_same_v<T, bool>,
                "std::vector<bool> holds no objects; ask for std::optional<bool>.");
  return {Target::Rows::all, &type_of<T>(), &rows,
          [](void* all) -> void* { return &static_cast<std::vector<T>*>(all)->emplace_back(); },
          [](void* all) { static_cast<std::vector<T>*>(all)->clear(); }};
}
template <class T>
Target target(Page<T>& page) {
  Target to = target(page.items);
  to.rows = Target::Rows::page;
  to.cursor = &page.next;
  return to;
}

/// A parameter, borrowed from `value`.
template <class T>
Cell cell_of(const T& value) {
  if constexpr (std::is_same_v<T, std::nullopt_t>) {
    return {};
  } else if constexpr (std::is_same_v<T, Value>) {
    return as_cell(value);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string_view(value);
  } else {
    return type_of<T>().to_cell(&value);
  }
}

/// A query of any kind and the values in it, which it owns.
class AnyQuery {
 public:
  /// What it does with its table's rows.
  enum class Verb : std::uint8_t { select, update, remove };

  AnyQuery(Session& session, const Table& table, Verb verb);
  AnyQuery(Session& session, std::string sql, std::span<const Cell> parameters);
  AnyQuery(const AnyQuery&);
  AnyQuery(AnyQuery&&) noexcept;
  AnyQuery& operator=(AnyQuery) noexcept;
  ~AnyQuery();

  void where(Condition condition);
  void order_by(Order order);
  void limit(std::int64_t rows);
  void offset(std::int64_t rows);
  void for_update();
  void set(std::string_view column, const Cell& value);
  /// A copy that begins after the cursor.
  AnyQuery after(std::optional<std::string> cursor) const;

  struct Content;
  Content& operator*() const { return *content_; }
  Content* operator->() const { return content_.get(); }

 private:
  std::unique_ptr<Content> content_;
};

/// A query that runs while its rows are taken, part by part.
class AnyStream {
 public:
  explicit AnyStream(AnyQuery query);
  AnyStream(AnyStream&&) noexcept;
  AnyStream& operator=(AnyStream&&) noexcept;
  ~AnyStream();

  struct Content;
  Content& operator*() const { return *content_; }

 private:
  std::unique_ptr<Content> content_;
};

/// Hands the stream's next rows to `target`; none at its end.
awaitable<void> next_part(AnyStream& stream, Target target);

/// Runs the query, once, and hands its rows to `target`; both must live until it is done.
awaitable<void> fetch(AnyQuery& query, Target target);
/// Answers how many rows it changed.
awaitable<std::int64_t> run(AnyQuery query);
awaitable<std::int64_t> count(AnyQuery query);
awaitable<bool> exists(AnyQuery query);
awaitable<void> fetch_by_key(Session& session, const Table& table, Cell key, bool for_update,
                             Target target);
awaitable<void> erase_by_key(Session& session, const Table& table, Cell key);

// What is awaited owns what it was given: hence the copies in the parameters.

template <class Rows>
awaitable<Rows> fetch(AnyQuery query) {
  Rows rows{};
  co_await fetch(query, target(rows));
  co_return rows;
}
template <class Rows, class Key>
awaitable<Rows> fetch_by_key(Session& session, const Table& table, Key key, bool for_update) {
  Rows rows{};
  co_await fetch_by_key(session, table, cell_of(key), for_update, target(rows));
  co_return rows;
}
template <class Key>
awaitable<void> erase_by_key(Session& session, const Table& table, Key key) {
  co_await erase_by_key(session, table, cell_of(key));
}

}  // namespace detail

/// The rows of a query, one after the other, for results too large to hold: a part of them is in
/// memory, the rest waits in the database. From Select::stream() and Session::stream(); nothing
/// runs before the first next().
///   auto rows = s.select<Shield>().stream();
///   while (auto shield = co_await rows.next()) …
/// All rows are as they were at the first. May be left before the end. PostgreSQL: begins the
/// session's transaction, and ends with it. SQLite: the session may do anything meanwhile; within a
/// transaction, and in a database in memory, all rows are read at once. The session must outlive
/// it.
template <class T>
class ResultStream {
 public:
  explicit ResultStream(detail::AnyQuery query) : stream_(std::move(query)) {}

  /// The next row; nothing after the last one.
  awaitable<std::optional<T>> next() {
    if (position_ == part_.size()) {
      part_.clear();
      position_ = 0;
      co_await detail::next_part(stream_, detail::target(part_));
      if (part_.empty()) co_return std::nullopt;
    }
    co_return std::move(part_[position_++]);
  }

 private:
  detail::AnyStream stream_;
  std::vector<T> part_{};
  std::size_t position_ = 0;
};

/// SELECT of whole rows. Nothing runs before all(), first(), one(), page(), count() or exists().
template <Model T>
class Select {
 public:
  explicit Select(Session& session)
      : query_(session, table_of<T>(), detail::AnyQuery::Verb::select) {}

  /// Rows must satisfy this, and every earlier condition.
  Select& where(Condition condition) {
    query_.where(std::move(condition));
    return *this;
  }
  /// Sorts by these columns, after the earlier ones. NULL comes first in ascending order.
  template <std::same_as<Order>... Orders>
  Select& order_by(Orders... orders) {
    (query_.order_by(orders), ...);
    return *this;
  }
  /// At most `rows` rows.
  Select& limit(std::int64_t rows) {
    query_.limit(rows);
    return *this;
  }
  /// Skips `rows` rows. For long lists page() is faster and does not shift under writes.
  Select& offset(std::int64_t rows) {
    query_.offset(rows);
    return *this;
  }
  /// Locks the rows until the session ends, so that what was read cannot change before it is
  /// written back. Begins the session's write transaction.
  Select& for_update() {
    query_.for_update();
    return *this;
  }

  awaitable<std::vector<T>> all() const { return detail::fetch<std::vector<T>>(query_); }
  awaitable<std::optional<T>> first() const { return detail::fetch<std::optional<T>>(query_); }
  /// One after the other: see ResultStream.
  ResultStream<T> stream() const { return ResultStream<T>(query_); }
  /// The first row. Throws Error(not_found) when there is none.
  awaitable<T> one() const { return detail::fetch<T>(query_); }
  /// Keyset paging: limit() rows (50 by default) after `after`, the `next` of the page before.
  /// The key is added to the order, so that the order is total. Throws ValidationError, which names
  /// `query/after`, for a cursor that this query did not give.
  awaitable<Page<T>> page(std::optional<std::string> after = std::nullopt) const {
    return detail::fetch<Page<T>>(query_.after(std::move(after)));
  }
  /// How many rows satisfy the conditions, whatever limit() and offset() say.
  awaitable<std::int64_t> count() const { return detail::count(query_); }
  /// Whether a row satisfies the conditions.
  awaitable<bool> exists() const { return detail::exists(query_); }

 private:
  detail::AnyQuery query_;
};

/// UPDATE of all rows that satisfy the conditions.
template <Model T>
class Update {
 public:
  explicit Update(Session& session)
      : query_(session, table_of<T>(), detail::AnyQuery::Verb::update) {}

  template <class M, std::size_t I>
  Update& set(Column<T, M, I> column, const typename Column<T, M, I>::Plain& value) {
    query_.set(column.name(), detail::cell_of(value));
    return *this;
  }
  template <class M, std::size_t I>
  Update& set(Column<T, M, I> column, std::nullopt_t) {
    static_assert(detail::Unwrap<M>::is_optional, "This column cannot be NULL.");
    query_.set(column.name(), Cell{});
    return *this;
  }
  Update& where(Condition condition) {
    query_.where(std::move(condition));
    return *this;
  }
  /// Answers how many rows were changed.
  awaitable<std::int64_t> run() const { return detail::run(query_); }
  /// Answers the rows as they are afterwards, in no particular order.
  awaitable<std::vector<T>> returning() const { return detail::fetch<std::vector<T>>(query_); }

 private:
  detail::AnyQuery query_;
};

/// DELETE of all rows that satisfy the conditions.
template <Model T>
class Delete {
 public:
  explicit Delete(Session& session)
      : query_(session, table_of<T>(), detail::AnyQuery::Verb::remove) {}

  Delete& where(Condition condition) {
    query_.where(std::move(condition));
    return *this;
  }
  /// Answers how many rows were deleted.
  awaitable<std::int64_t> run() const { return detail::run(query_); }
  /// Answers the rows as they were, in no particular order.
  awaitable<std::vector<T>> returning() const { return detail::fetch<std::vector<T>>(query_); }

 private:
  detail::AnyQuery query_;
};

}  // namespace aegis
