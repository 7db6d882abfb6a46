// PostgreSQL alters tables in place. What depends on each other is kept apart: foreign keys go
// first and come last.
#include <fmt/format.h>

#include <algorithm>

#include "db/migrations/steps.h"

namespace aegis::db {
namespace {

class PostgresqlSteps {
 public:
  PostgresqlSteps(const Dialect& dialect, const SchemaDiff& diff)
      : dialect_(dialect), diff_(diff) {}

  std::vector<std::string> run() {
    for (const auto& rename : diff_.renames) apply(rename);
    for (const auto& change : diff_.tables) drop_references(change);
    for (const auto& change : diff_.tables) {
      if (!change.to) add("DROP TABLE " + identifier(change.from->name));
    }
    for (const auto& change : diff_.tables) {
      if (!change.to) continue;
      if (change.from) {
        alter(change);
      } else {
        for (auto& sql : dialect_.create(*change.to, false)) add(std::move(sql));
      }
    }
    for (const auto& change : diff_.tables) add_references(change);
    return std::move(statements_);
  }

 private:
  void add(std::string sql) { statements_.push_back(std::move(sql)); }
  template <class... Args>
  void alter_table(std::string_view table, fmt::format_string<Args...> format, Args&&... args) {
    add(fmt::format("ALTER TABLE {} ", identifier(table)) +
        fmt::format(format, std::forward<Args>(args)...));
  }

  void apply(const SchemaDiff::Rename& rename) {
    add(rename_statement(rename));
    for (const auto& [from, to] : rename.constraints) {
      alter_table(rename.table.empty() ? rename.to : rename.table, "RENAME CONSTRAINT {} TO {}",
                  identifier(from), identifier(to));
    }
  }

  void drop_constraint(std::string_view table, std::string_view name) {
    alter_table(table, "DROP CONSTRAINT {}", identifier(name));
  }

  // Foreign keys.

  bool is_changed(std::string_view table) const {
    return std::ranges::any_of(diff_.tables, [&](const TableChange& change) {
      return change.from && change.from->name == table;
    });
  }
  /// Of a column on both sides.
  bool reference_changes(const ColumnChange& change) const {
    return change.from->references != change.to->references || type_changes(change);
  }

  void drop_references(const TableChange& change) {
    for (const auto& column : change.columns) {
      if (!column.from) continue;
      const auto& reference = column.from->references;
      if (!reference) continue;
      if (!(column.to ? reference_changes(column) : is_changed(reference->table))) continue;
      drop_constraint(change.to->name, constraint_name(change.to->name, column.from->name, "fkey"));
    }
  }

  void add_references(const TableChange& change) {
    for (const auto& column : change.columns) {
      if (!column.from || !column.to) continue;
      const auto& reference = column.to->references;
      if (!reference || !reference_changes(column)) continue;
      const std::string& table = change.to->name;
      alter_table(table, "ADD CONSTRAINT {} FOREIGN KEY ({}) {}",
                  identifier(constraint_name(table, column.to->name, "fkey")),
                  identifier(column.to->name), references_clause(*reference));
    }
  }

  // The rest of a table.

  void alter(const TableChange& change) {
    const std::string& table = change.to->name;
    const Keys indexes(change.from->indexes, change.to->indexes);
    const Keys uniques(change.from->uniques, change.to->uniques);

    for (const auto* index : indexes.dropped) add("DROP INDEX " + identifier(index->name));
    for (const auto* unique : uniques.dropped) drop_constraint(table, unique->name);
    for (const auto& column : change.columns) drop_rules(table, column);
    for (const auto& column : change.columns) {
      if (!column.to) alter_table(table, "DROP COLUMN {}", identifier(column.from->name));
    }
    for (const auto& column : change.columns) {
      if (!column.from) add_column(table, column);
    }
    for (const auto& column : change.columns) {
      if (column.from && column.to) alter_column(table, column);
    }
    for (const auto& column : change.columns) add_rules(table, column);
    for (const auto& [from, to] : uniques.renamed) {
      alter_table(table, "RENAME CONSTRAINT {} TO {}", identifier(from->name),
                  identifier(to->name));
    }
    for (const auto* unique : uniques.added) {
      alter_table(table, "ADD CONSTRAINT {} UNIQUE ({})", identifier(unique->name),
                  column_list(unique->columns));
    }
    for (const auto& [from, to] : indexes.renamed) {
      add(fmt::format("ALTER INDEX {} RENAME TO {}", identifier(from->name), identifier(to->name)));
    }
    for (const auto* index : indexes.added) add(create_index(table, *index, false));
  }

  /// What becomes of indexes or of unique groups.
  struct Keys {
    Keys(const std::vector<KeySchema>& from, const std::vector<KeySchema>& to) {
      for (const auto& key : from) {
        if (std::ranges::find(to, key) == to.end()) dropped.push_back(&key);
      }
      for (const auto& key : to) {
        if (std::ranges::find(from, key) != from.end()) continue;
        const auto same = std::ranges::find_if(dropped, [&](const KeySchema* gone) {
          return gone->columns == key.columns && gone->where == key.where &&
                 gone->unique == key.unique;
        });
        if (same == dropped.end()) {
          added.push_back(&key);
        } else {
          renamed.emplace_back(*same, &key);
          dropped.erase(same);
        }
      }
    }
    std::vector<const KeySchema*> dropped{}, added{};
    std::vector<std::pair<const KeySchema*, const KeySchema*>> renamed{};
  };

  void drop_rules(std::string_view table, const ColumnChange& change) {
    if (!change.from || !change.to) return;  // they come and go with their column
    const auto& [from, to, fill] = change;
    if (from->unique && !to->unique)
      drop_constraint(table, constraint_name(table, to->name, "key"));
    if (const std::string check = rule_check(*from); !check.empty() && check != rule_check(*to)) {
      drop_constraint(table, constraint_name(table, to->name, "check"));
    }
  }

  void add_rules(std::string_view table, const ColumnChange& change) {
    if (!change.from || !change.to) return;
    const auto& [from, to, fill] = change;
    if (to->unique && !from->unique) {
      alter_table(table, "ADD CONSTRAINT {} UNIQUE ({})",
                  identifier(constraint_name(table, to->name, "key")), identifier(to->name));
    }
    if (const std::string check = rule_check(*to); !check.empty() && check != rule_check(*from)) {
      alter_table(table, "ADD CONSTRAINT {} CHECK ({})",
                  identifier(constraint_name(table, to->name, "check")), check);
    }
  }

  void add_column(std::string_view table, const ColumnChange& change) {
    ColumnSchema column = *change.to;
    const bool filled = change.fill && change.fill != column.default_value;
    if (filled) column.default_value = change.fill;
    alter_table(table, "ADD COLUMN {}", dialect_.column_definition(table, column));
    if (!filled) return;
    if (const auto& initial = change.to->default_value) {
      alter_table(table, "ALTER COLUMN {} SET DEFAULT {}", identifier(column.name),
                  dialect_.literal(column, *initial));
    } else {
      alter_table(table, "ALTER COLUMN {} DROP DEFAULT", identifier(column.name));
    }
  }

  bool type_changes(const ColumnChange& change) const {
    return dialect_.column_type(change.from->kind()) != dialect_.column_type(change.to->kind());
  }

  void alter_column(std::string_view table, const ColumnChange& change) {
    const auto& [from, to, fill] = change;
    const std::string name = identifier(to->name);
    const bool converts = type_changes(change);
    const bool other_default = converts || from->default_value != to->default_value;
    if (other_default && from->default_value && (converts || !to->default_value)) {
      alter_table(table, "ALTER COLUMN {} DROP DEFAULT", name);
    }
    if (converts) {
      alter_table(table, "ALTER COLUMN {} TYPE {} USING {}", name, dialect_.column_type(to->kind()),
                  converted(name, from->kind(), to->kind()));
    }
    if (const auto& initial = to->default_value; other_default && initial) {
      alter_table(table, "ALTER COLUMN {} SET DEFAULT {}", name, dialect_.literal(*to, *initial));
    }
    if (from->nullable && !to->nullable) {
      if (fill) {
        add(fmt::format("UPDATE {} SET {} = {} WHERE {} IS NULL", identifier(table), name,
                        dialect_.literal(*to, *fill), name));
      }
      alter_table(table, "ALTER COLUMN {} SET NOT NULL", name);
    } else if (!from->nullable && to->nullable) {
      alter_table(table, "ALTER COLUMN {} DROP NOT NULL", name);
    }
  }

  std::string converted(const std::string& name, Kind from, Kind to) const {
    using enum Kind;
    if (from == boolean && to == integer) return name + "::int";
    if (from == integer && to == boolean) return name + " <> 0";
    if (from == real && (to == integer || to == duration)) {
      return fmt::format("round({})::{}", name, dialect_.column_type(to));
    }
    if (from == text && to == bytes) return fmt::format("convert_to({}, 'UTF8')", name);
    if (from == bytes && to == text) return fmt::format("convert_from({}, 'UTF8')", name);
    if (from == timestamp && to == text) {  // as RFC 3339
      return fmt::format(R"(to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))",
                         name);
    }
    return fmt::format("{}::{}", name, dialect_.column_type(to));
  }

  const Dialect& dialect_;
  const SchemaDiff& diff_;
  std::vector<std::string> statements_{};
};

}  // namespace

std::vector<std::string> postgresql_steps(const Dialect& dialect, const SchemaDiff& diff) {
  return PostgresqlSteps(dialect, diff).run();
}

}  // namespace aegis::db
