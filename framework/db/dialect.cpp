#include "db/dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "aegis/core/error.h"
#include "db/condition.h"

namespace aegis::db {
namespace {

const Field& column(const Table& table, std::string_view name) {
  const Field* field = table.object->find(name);
  if (!field) {
    throw Error(Errc::internal, fmt::format("Table {} has no column {}.", table.name, name));
  }
  return *field;
}

/// All columns but `without`, separated by commas.
std::string column_list(const Table& table, const Field* without = nullptr) {
  std::string list;
  for (const Field& field : table.object->fields) {
    if (&field == without) continue;
    if (!list.empty()) list += ", ";
    list += identifier(field.name);
  }
  return list;
}

/// "$first, $first + 1, …"
void append_parameters(std::string& text, std::size_t first, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    fmt::format_to(std::back_inserter(text), "{}${}", i == 0 ? "" : ", ", first + i);
  }
}

/// Writes a builder's query: text, and the values of its parameters as they come.
class Writer {
 public:
  explicit Writer(const Query& query) : query_(query), table_(*query.table) {}

  Writer& add(std::string_view text) {
    sql_.text += text;
    return *this;
  }
  Writer& name(std::string_view name) { return add(identifier(name)); }
  Writer& columns() { return add(column_list(table_)); }
  Writer& value(const Cell& value) {
    sql_.values.push_back(value);
    return parameter(sql_.values.size());
  }

  void where() {
    const Condition::Node* condition = query_.where.node();
    if (!condition && query_.after.empty()) return;
    add(" WHERE ");
    if (condition) write(*condition, query_.after.empty() ? Binding::any : Binding::conjunction);
    if (condition && !query_.after.empty()) add(" AND ");
    if (!query_.after.empty()) write_after();
  }

  void order_by() {
    for (std::size_t i = 0; i < query_.order.size(); ++i) {
      const Order& order = query_.order[i];
      const bool nullable = is_nullable(column(table_, order.column));
      add(i == 0 ? " ORDER BY " : ", ").name(order.column);
      // SQLite's own order, and said aloud where it matters, so that PostgreSQL has it too.
      if (order.descending) {
        add(nullable ? " DESC NULLS LAST" : " DESC");
      } else if (nullable) {
        add(" NULLS FIRST");
      }
    }
  }

  void limit() {
    if (query_.limit) add(" LIMIT ").value(*query_.limit);
    if (!query_.offset) return;
    // SQLite takes an OFFSET only after a LIMIT.
    if (!query_.limit) add(" LIMIT ").value(std::numeric_limits<std::int64_t>::max());
    add(" OFFSET ").value(*query_.offset);
  }

  void set() {
    if (query_.set.empty()) {
      throw Error(Errc::internal,
                  fmt::format("An update of {} sets no column: call set().", table_.name));
    }
    for (std::size_t i = 0; i < query_.set.size(); ++i) {
      add(i == 0 ? " SET " : ", ").name(query_.set[i].column).add(" = ");
      value(as_cell(query_.set[i].value));
    }
  }

  void returning(bool wanted) {
    if (wanted) add(" RETURNING ").columns();
  }

  Sql take() { return std::move(sql_); }

 private:
  /// How tightly the surroundings bind: what binds less needs parentheses.
  enum class Binding { any, conjunction, negation };

  Writer& parameter(std::size_t number) {
    fmt::format_to(std::back_inserter(sql_.text), "${}", number);
    return *this;
  }

  void write(const Condition::Node& node, Binding around) {
    using enum Condition::Node::Op;
    switch (node.op) {
      case compare:
        return write_comparison(node);
      case all_of:
        return write_joined(node, " AND ", Binding::conjunction, around > Binding::conjunction);
      case any_of:
        if (node.children.empty()) return void(add("FALSE"));
        return write_joined(node, " OR ", Binding::any, around > Binding::any);
      case negate: {
        // NOT of SQL's "unknown" is unknown again, but the opposite of "does not hold" is wanted.
        const Condition::Node& child = *node.children.front().node();
        const bool may_be_unknown = compares_nullable(child);
        add(may_be_unknown ? "(" : "NOT ");
        write(child, may_be_unknown ? Binding::any : Binding::negation);
        if (may_be_unknown) add(") IS NOT TRUE");
        return;
      }
    }
  }

  void write_joined(const Condition::Node& node, std::string_view separator, Binding inside,
                    bool parentheses) {
    if (parentheses) add("(");
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (i != 0) add(separator);
      write(*node.children[i].node(), inside);
    }
    if (parentheses) add(")");
  }

  void write_comparison(const Condition::Node& node) {
    using enum detail::Comparison;
    const Field& field = column_of(node);
    if (node.comparison == in && node.values.empty()) return void(add("FALSE"));
    name(field.name);
    switch (node.comparison) {
      case is_null:
        return void(add(" IS NULL"));
      case not_null:
        return void(add(" IS NOT NULL"));
      case in:
        add(" IN (");
        for (std::size_t i = 0; i < node.values.size(); ++i) {
          if (i != 0) add(", ");
          value(as_cell(node.values[i]));
        }
        return void(add(")"));
      case eq:
        add(" = ");
        break;
      case ne:
        add(is_nullable(field) ? " IS DISTINCT FROM " : " <> ");
        break;
      case lt:
        add(" < ");
        break;
      case le:
        add(" <= ");
        break;
      case gt:
        add(" > ");
        break;
      case ge:
        add(" >= ");
        break;
      case like:
        add(" LIKE ");
        break;
    }
    value(as_cell(node.values.front()));
    if (node.comparison == like) add(" ESCAPE '\\'");
  }

  bool compares_nullable(const Condition::Node& node) const {
    if (node.op == Condition::Node::Op::compare) return is_nullable(column_of(node));
    return std::ranges::any_of(
        node.children, [this](const Condition& child) { return compares_nullable(*child.node()); });
  }

  const Field& column_of(const Condition::Node& node) const {
    if (node.owner != table_.object) {
      throw Error(Errc::internal,
                  fmt::format("A query on table {} has a condition on {}::{}, a column of another "
                              "one; join tables in SQL, with query().",
                              table_.name, node.owner->name, node.column));
    }
    return column(table_, node.column);
  }

  /// The rows that sort after `query.after`: (a, b) > ($1, $2), spelled out where directions mix or
  /// a NULL is possible, which SQL does not compare. The last column, the key, is never NULL.
  void write_after() {
    struct Part {
      const Field& field;
      bool descending;
      Cell value;
      std::size_t number = 0;  ///< its parameter's, once it has one
      bool null() const { return std::holds_alternative<std::monostate>(value); }
    };
    std::vector<Part> parts;
    for (std::size_t i = 0; i < query_.order.size(); ++i) {
      const Order& order = query_.order[i];
      parts.push_back({column(table_, order.column), order.descending, as_cell(query_.after[i])});
    }
    const auto write_value = [this](Part& part) {
      if (part.number == 0) {
        sql_.values.push_back(part.value);
        part.number = sql_.values.size();
      }
      parameter(part.number);
    };
    const auto compare = [&](Part& part, std::string_view op) {
      name(part.field.name).add(op);
      write_value(part);
    };

    const bool simple = std::ranges::all_of(parts, [&](const Part& part) {
      return !is_nullable(part.field) && part.descending == parts.front().descending;
    });
    if (simple) {
      const bool row = parts.size() > 1;
      const auto list = [&](const auto& write_one) {
        if (row) add("(");
        for (std::size_t i = 0; i < parts.size(); ++i) {
          if (i != 0) add(", ");
          write_one(parts[i]);
        }
        if (row) add(")");
      };
      list([&](const Part& part) { name(part.field.name); });
      add(parts.front().descending ? " < " : " > ");
      list(write_value);
      return;
    }

    // The first column's range once more by itself: an index can use that, but not the ORs.
    Part& first = parts.front();
    if (!first.null() && !(first.descending && is_nullable(first.field))) {
      compare(first, first.descending ? " <= " : " >= ");
      add(" AND ");
    }
    add("(");
    bool any = false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].descending && parts[i].null()) continue;  // NULL is the last one: none after it
      if (any) add(" OR ");
      any = true;
      for (std::size_t before = 0; before < i; ++before) {
        if (parts[before].null()) {
          name(parts[before].field.name).add(" IS NULL");
        } else {
          compare(parts[before], " = ");
        }
        add(" AND ");
      }
      if (parts[i].null()) {
        name(parts[i].field.name).add(" IS NOT NULL");
      } else if (parts[i].descending && is_nullable(parts[i].field)) {
        add("(");
        compare(parts[i], " < ");
        add(" OR ").name(parts[i].field.name).add(" IS NULL)");
      } else {
        compare(parts[i], parts[i].descending ? " < " : " > ");
      }
    }
    add(")");
  }

  const Query& query_;
  const Table& table_;
  Sql sql_{};
};

std::string insert_into(const Table& table, const Field* without, std::size_t rows) {
  const std::size_t columns = table.object->fields.size() - (without ? 1 : 0);
  std::string text = "INSERT INTO " + identifier(table.name);
  if (columns == 0) return text + " DEFAULT VALUES";
  text += " (" + column_list(table, without) + ") VALUES ";
  for (std::size_t row = 0; row < rows; ++row) {
    text += row == 0 ? "(" : ", (";
    append_parameters(text, 1 + row * columns, columns);
    text += ')';
  }
  return text;
}

std::string returning_key(const Table& table) {
  return " RETURNING " + identifier(table.key().name);
}

/// ON CONFLICT (conflict) DO UPDATE: all other columns but the key take the new row's values.
std::string upsert(const Table& table, const Field* without, const Field& conflict) {
  std::string set;
  for (const Field& field : table.object->fields) {
    if (&field == &table.key() || &field == &conflict) continue;
    const std::string name = identifier(field.name);
    set += (set.empty() ? "" : ", ") + name + " = excluded." + name;
  }
  const std::string on = identifier(conflict.name);
  // With nothing to update the row is still to be answered, which DO NOTHING would not.
  if (set.empty()) set = on + " = excluded." + on;
  return insert_into(table, without, 1) + " ON CONFLICT (" + on + ") DO UPDATE SET " + set +
         returning_key(table);
}

std::string update_by_key(const Table& table) {
  std::string set;
  std::size_t number = 0;
  for (const Field& field : table.object->fields) {
    if (&field == &table.key()) continue;
    fmt::format_to(std::back_inserter(set), "{}{} = ${}", set.empty() ? "" : ", ",
                   identifier(field.name), ++number);
  }
  const std::string key = identifier(table.key().name);
  if (set.empty()) set = key + " = " + key;
  return fmt::format("UPDATE {} SET {} WHERE {} = ${}", identifier(table.name), set, key,
                     number + 1);
}

std::unique_ptr<const RowStatements> make_row_statements(const Dialect& dialect,
                                                         const Table& table) {
  auto made = std::make_unique<RowStatements>();
  const std::string key = identifier(table.key().name);
  made->get = fmt::format("SELECT {} FROM {} WHERE {} = $1", column_list(table),
                          identifier(table.name), key);
  made->get_for_update = made->get + std::string(dialect.for_update());
  made->insert = insert_into(table, &table.key(), 1);
  if (!dialect.key_by_last_insert_id()) made->insert += returning_key(table);
  made->insert_with_key = insert_into(table, nullptr, 1);
  made->update = update_by_key(table);
  made->erase = fmt::format("DELETE FROM {} WHERE {} = $1", identifier(table.name), key);
  for (const Field& field : table.object->fields) {
    RowStatements::Upsert statements;
    if (field.rules.unique || field.rules.primary_key) {
      statements.insert_with_key = upsert(table, nullptr, field);
      if (!field.rules.primary_key) statements.insert = upsert(table, &table.key(), field);
    }
    made->upsert.push_back(std::move(statements));
  }
  return made;
}

}  // namespace

Sql Dialect::select(const Query& query) const {
  Writer sql(query);
  sql.add("SELECT ").columns().add(" FROM ").name(query.table->name);
  sql.where();
  sql.order_by();
  sql.limit();
  if (query.for_update) sql.add(for_update());
  return sql.take();
}

Sql Dialect::count(const Query& query) const {
  Writer sql(query);
  sql.add("SELECT count(*) FROM ").name(query.table->name).where();
  return sql.take();
}

Sql Dialect::exists(const Query& query) const {
  Writer sql(query);
  sql.add("SELECT EXISTS (SELECT 1 FROM ").name(query.table->name).where();
  sql.add(")");
  return sql.take();
}

Sql Dialect::update(const Query& query, bool returning) const {
  Writer sql(query);
  sql.add("UPDATE ").name(query.table->name).set();
  sql.where();
  sql.returning(returning);
  return sql.take();
}

Sql Dialect::remove(const Query& query, bool returning) const {
  Writer sql(query);
  sql.add("DELETE FROM ").name(query.table->name).where();
  sql.returning(returning);
  return sql.take();
}

const RowStatements& Dialect::row_statements(const Table& table) const {
  auto& slot = (*table.cache)[static_cast<std::size_t>(id())];
  const void* cached = slot.load(std::memory_order_acquire);
  if (!cached) {
    auto made = make_row_statements(*this, table);
    // Kept for the life of the process; of two threads that come first at once, one wins.
    if (slot.compare_exchange_strong(cached, made.get(), std::memory_order_acq_rel)) {
      cached = made.release();
    }
  }
  return *static_cast<const RowStatements*>(cached);
}

std::string Dialect::insert_many(const Table& table, std::size_t rows, bool with_key) const {
  return insert_into(table, with_key ? nullptr : &table.key(), rows) +
         (with_key ? "" : returning_key(table));
}

}  // namespace aegis::db
