// SQLite adds, drops and renames columns, and no more: every other change of a table builds it
// anew, as https://sqlite.org/lang_altertable.html (section 7) says. Foreign keys are not enforced
// while a migration runs, but checked at its end.
#include <fmt/format.h>

#include <algorithm>

#include "db/migrations/steps.h"

namespace aegis::db {
namespace {

class SqliteSteps {
 public:
  SqliteSteps(const Dialect& dialect, const SchemaDiff& diff) : dialect_(dialect), diff_(diff) {}

  std::vector<std::string> run() {
    for (const auto& rename : diff_.renames) add(rename_statement(rename));
    for (const auto& change : diff_.tables) {
      if (!change.from) {
        for (auto& sql : dialect_.create(*change.to, false)) add(std::move(sql));
      } else if (!change.to) {
        add("DROP TABLE " + identifier(change.from->name));
      } else if (can_alter(change)) {
        alter(change);
      } else {
        rebuild(change);
      }
    }
    return std::move(statements_);
  }

 private:
  void add(std::string sql) { statements_.push_back(std::move(sql)); }

  static bool can_alter(const TableChange& change) {
    return std::ranges::all_of(change.columns, can_alter_column) &&
           same_columns(change.from->uniques, change.to->uniques) &&
           std::ranges::none_of(change.from->uniques, [&](const KeySchema& unique) {
             return std::ranges::any_of(unique.columns, [&](const std::string& column) {
               return change.to->find(column) == nullptr;
             });
           });
  }

  static bool can_alter_column(const ColumnChange& change) {
    const auto& [from, to, fill] = change;
    if (from && to) return false;
    if (from) return !from->primary_key && !from->unique && !from->references;
    if (to->unique || (fill && fill != to->default_value)) return false;
    return to->default_value ? !to->references : to->nullable;
  }

  /// Groups have no names in SQLite.
  static bool same_columns(const std::vector<KeySchema>& a, const std::vector<KeySchema>& b) {
    return std::ranges::is_permutation(a, b, {}, &KeySchema::columns, &KeySchema::columns);
  }

  void drop_indexes(const TableChange& change) {
    for (const auto& index : change.from->indexes) {
      if (std::ranges::find(change.to->indexes, index) == change.to->indexes.end()) {
        add("DROP INDEX " + identifier(index.name));
      }
    }
  }

  void alter(const TableChange& change) {
    const TableSchema& from = *change.from;
    const TableSchema& to = *change.to;
    drop_indexes(change);
    for (const auto& column : change.columns) {
      if (!column.to) {
        add(fmt::format("ALTER TABLE {} DROP COLUMN {}", identifier(to.name),
                        identifier(column.from->name)));
      }
    }
    for (const auto& column : change.columns) {
      if (!column.from) {
        add(fmt::format("ALTER TABLE {} ADD COLUMN {}", identifier(to.name),
                        dialect_.column_definition(to.name, *column.to)));
      }
    }
    for (const auto& index : to.indexes) {
      if (std::ranges::find(from.indexes, index) == from.indexes.end()) {
        add(create_index(to.name, index, false));
      }
    }
  }

  void rebuild(const TableChange& change) {
    const TableSchema& to = *change.to;
    TableSchema fresh = to;
    fresh.name = "new_" + to.name;
    fresh.indexes.clear();
    const std::string name = identifier(to.name), fresh_name = identifier(fresh.name);

    drop_indexes(change);
    add(dialect_.create(fresh, false).front());
    if (std::ranges::any_of(to.columns, &ColumnSchema::generated)) {
      // Keys of rows that were deleted are not given again.
      add(
          fmt::format("INSERT INTO sqlite_sequence (name, seq)\n"
                      "  SELECT '{}', seq FROM sqlite_sequence WHERE name = '{}'",
                      quoted(fresh.name), quoted(to.name)));
    }
    std::string columns, values;
    for (const auto& column : to.columns) {
      const std::string value = value_of(change, column);
      if (value.empty()) continue;
      columns += (columns.empty() ? "" : ", ") + identifier(column.name);
      values += (values.empty() ? "" : ", ") + value;
    }
    add(fmt::format("INSERT INTO {} ({})\n  SELECT {} FROM {}", fresh_name, columns, values, name));
    add("DROP TABLE " + name);
    add(fmt::format("ALTER TABLE {} RENAME TO {}", fresh_name, name));
    for (const auto& index : to.indexes) add(create_index(to.name, index, false));
  }

  /// What a row of the old table has for a column of the new one; empty: its default.
  std::string value_of(const TableChange& change, const ColumnSchema& column) const {
    const auto at = std::ranges::find_if(change.columns, [&](const ColumnChange& changed) {
      return changed.to && changed.to->name == column.name;
    });
    const std::string name = identifier(column.name);
    if (at == change.columns.end()) return name;
    const std::string fill = at->fill ? dialect_.literal(column, *at->fill) : "";
    if (!at->from) return at->fill == column.default_value ? "" : fill;
    const std::string value = converted(name, at->from->kind(), column.kind());
    return fill.empty() || !at->from->nullable ? value
                                               : fmt::format("coalesce({}, {})", value, fill);
  }

  /// STRICT tables refuse what does not fit, such as 'iron' for an integer.
  static std::string converted(const std::string& name, Kind from, Kind to) {
    using enum Kind;
    if (from == to) return name;
    if (from == real && (to == integer || to == duration)) {
      return fmt::format("CAST(round({}) AS INTEGER)", name);
    }
    if (to == boolean && from == integer) return name + " <> 0";
    if (from == boolean && to == text) {
      return fmt::format("CASE {} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END", name);
    }
    if (from == text && to == boolean) {
      return fmt::format("CASE {} WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE {} END", name, name);
    }
    if (from == text && to == timestamp) {
      return fmt::format("CASE WHEN datetime({}) IS NOT NULL THEN {} END", name, name);
    }
    if (to == text && from != timestamp) return fmt::format("CAST({} AS TEXT)", name);
    if (to == bytes) return fmt::format("CAST({} AS BLOB)", name);
    return name;
  }

  static std::string quoted(std::string_view name) {
    std::string text;
    for (const char c : name) text += c == '\'' ? "''" : std::string(1, c);
    return text;
  }

  const Dialect& dialect_;
  const SchemaDiff& diff_;
  std::vector<std::string> statements_{};
};

}  // namespace

std::vector<std::string> sqlite_steps(const Dialect& dialect, const SchemaDiff& diff) {
  return SqliteSteps(dialect, diff).run();
}

std::vector<std::string> steps(const Dialect& dialect, const SchemaDiff& diff) {
  return dialect.id() == Dialect::Id::sqlite ? sqlite_steps(dialect, diff)
                                             : postgresql_steps(dialect, diff);
}

std::string rename_statement(const SchemaDiff::Rename& rename) {
  if (rename.table.empty()) {
    return fmt::format("ALTER TABLE {} RENAME TO {}", identifier(rename.from),
                       identifier(rename.to));
  }
  return fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", identifier(rename.table),
                     identifier(rename.from), identifier(rename.to));
}

}  // namespace aegis::db
