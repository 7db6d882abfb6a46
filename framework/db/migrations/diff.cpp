#include "db/migrations/diff.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>

#include "aegis/core/error.h"
#include "aegis/core/json.h"
#include "db/dialect.h"

namespace aegis::db {
namespace {

/// PostgreSQL gives primary keys their names, and cuts those of tables with longer ones.
constexpr std::size_t longest_with_key = 58;

std::string path(std::string_view table, std::string_view column) {
  return fmt::format("{}.{}", table, column);
}

template <class T>
std::shared_ptr<const T> share(const T& value) {
  return std::make_shared<const T>(value);
}

void replace(std::string& name, std::string_view from, std::string_view to) {
  if (name == from) name = to;
}

/// Gives a table its new name, everywhere.
void rename_table(Schema& schema, const std::string& from, const std::string& to) {
  for (auto& table : schema.tables) {
    replace(table.name, from, to);
    for (auto& column : table.columns) {
      if (column.references) replace(column.references->table, from, to);
    }
  }
}

void rename_column(Schema& schema, std::string_view in, const std::string& from,
                   const std::string& to) {
  for (auto& table : schema.tables) {
    for (auto& column : table.columns) {
      if (table.name == in) replace(column.name, from, to);
      if (column.references && column.references->table == in) {
        replace(column.references->column, from, to);
      }
    }
    if (table.name != in) continue;
    for (auto* keys : {&table.uniques, &table.indexes}) {
      for (auto& key : *keys) {
        for (auto& column : key.columns) replace(column, from, to);
      }
    }
  }
}

std::string zero_of(const ColumnSchema& column) {
  if (!column.one_of.empty()) return column.one_of.front();
  return with_value_of(column.kind(), [](auto value) {
    return write_text(aegis::detail::type_of<decltype(value)>(), &value);
  });
}

bool same_keys(std::vector<KeySchema> a, std::vector<KeySchema> b) {
  std::ranges::sort(a, {}, &KeySchema::name);
  std::ranges::sort(b, {}, &KeySchema::name);
  return a == b;
}

std::string list(const std::vector<std::string>& items) {
  return fmt::format("{}", fmt::join(items, ", "));
}

std::string text_of(const std::optional<ReferenceSchema>& reference) {
  return reference ? fmt::format("{}.{} on delete {}", reference->table, reference->column,
                                 reference->on_delete)
                   : "nothing";
}

/// "max_length 80 → 100": the members that differ, but name and type.
std::string differences(const ColumnSchema& from, const ColumnSchema& to) {
  std::vector<std::string> parts;
  for (const Field& field : describe<ColumnSchema>().fields) {
    std::string before, after;
    append_json(*field.type, field.of(&from), before);
    append_json(*field.type, field.of(&to), after);
    if (before == after) continue;
    if (field.name == "references") {
      before = text_of(from.references);
      after = text_of(to.references);
    }
    parts.push_back(fmt::format("{} {} → {}", field.name, before, after));
  }
  return list(parts);
}

class Differ {
 public:
  enum class Way : std::uint8_t { forward, back, plain };

  Differ(Schema from, const Schema& to, const Intent& intent, Way way)
      : from_(std::move(from)), to_(to), intent_(intent), way_(way) {}

  SchemaDiff run() {
    apply_renames();
    for (const auto& table : to_.tables) {
      if (const TableSchema* before = from_.find(table.name)) {
        compare(*before, table);
      } else {
        diff_.tables.push_back({.to = share(table)});
      }
    }
    for (auto table = from_.tables.rbegin(); table != from_.tables.rend(); ++table) {
      if (!to_.find(table->name)) diff_.tables.push_back({.from = share(*table)});
    }
    for (const auto& [column, value] : intent_.fills) {
      if (!used_fills_.contains(column)) {
        problems_.push_back(fmt::format(
            "--fill {}={}: there is no such column that is new or may no longer be NULL", column,
            value));
      }
    }
    if (!problems_.empty()) {
      throw Error(Errc::invalid, fmt::format("The migration cannot be written:\n  {}",
                                             fmt::join(problems_, "\n  ")));
    }
    return std::move(diff_);
  }

 private:
  void apply_renames() {
    for (const auto& [now, before] : intent_.renamed_tables) {
      if (!from_.find(before) || from_.find(now) || !to_.find(now) || to_.find(before)) {
        problems_.push_back(fmt::format(
            "--rename {}:{}: {} must be a table that the models no longer have, and {} a new one",
            before, now, before, now));
        continue;
      }
      SchemaDiff::Rename& rename = diff_.renames.emplace_back();
      rename.from = before;
      rename.to = now;
      if (std::max(before.size(), now.size()) <= longest_with_key) {
        rename.constraints.emplace_back(before + "_pkey", now + "_pkey");
      }
      for (const auto& column : from_.find(before)->columns) {
        add_constraints(rename, column, before, column.name, now, column.name);
      }
      rename_table(from_, before, now);
    }
    for (const auto& [place, before] : intent_.renamed_columns) {
      const auto dot = place.find('.');
      const std::string table = place.substr(0, dot), now = place.substr(dot + 1);
      const TableSchema* old_table = from_.find(table);
      const TableSchema* new_table = to_.find(table);
      if (!old_table || !new_table || !old_table->find(before) || old_table->find(now) ||
          !new_table->find(now) || new_table->find(before)) {
        problems_.push_back(fmt::format(
            "--rename {}.{}:{}: {} must be a column that the model no longer has, and {} a new one",
            table, before, now, before, now));
        continue;
      }
      SchemaDiff::Rename& rename = diff_.renames.emplace_back();
      rename.table = table;
      rename.from = before;
      rename.to = now;
      add_constraints(rename, *old_table->find(before), table, before, table, now);
      rename_column(from_, table, before, now);
    }
  }

  static void add_constraints(SchemaDiff::Rename& rename, const ColumnSchema& column,
                              std::string_view old_table, std::string_view old_column,
                              std::string_view new_table, std::string_view new_column) {
    const auto add = [&](std::string_view ending) {
      rename.constraints.emplace_back(constraint_name(old_table, old_column, ending),
                                      constraint_name(new_table, new_column, ending));
    };
    if (column.unique) add("key");
    if (!rule_check(column).empty()) add("check");
    if (column.references) add("fkey");
  }

  void compare(const TableSchema& from, const TableSchema& to) {
    TableChange change{.from = share(from), .to = share(to)};
    for (const auto& column : to.columns) {
      const ColumnSchema* before = from.find(column.name);
      if (before && *before == column) continue;
      ColumnChange& changed = change.columns.emplace_back();
      changed.to = share(column);
      if (before) changed.from = share(*before);
      check(to.name, changed);
    }
    for (const auto& column : from.columns) {
      if (to.find(column.name)) continue;
      if (column.primary_key && way_ == Way::forward) {
        problems_.push_back(unchangeable_key(path(to.name, column.name)));
      }
      change.columns.push_back({.from = share(column)});
    }
    if (!change.columns.empty() || !same_keys(from.uniques, to.uniques) ||
        !same_keys(from.indexes, to.indexes)) {
      diff_.tables.push_back(std::move(change));
    }
  }

  static std::string unchangeable_key(std::string_view column) {
    return fmt::format(
        "{}: the primary key changes; write the SQL yourself: `db revision --empty -m …`", column);
  }

  void check(std::string_view table, ColumnChange& change) {
    const ColumnSchema& to = *change.to;
    const std::string place = path(table, to.name);
    if (const auto fill = intent_.fills.find(place); fill != intent_.fills.end()) {
      change.fill = fill->second;
      used_fills_.insert(place);
    }
    const bool may_lack_values = !to.nullable && (!change.from || change.from->nullable);
    if (may_lack_values && !change.fill) change.fill = to.default_value;
    if (may_lack_values && !change.fill && way_ == Way::back) change.fill = zero_of(to);
    if (way_ != Way::forward) return;
    const bool was_key = change.from && change.from->primary_key;
    const bool was_generated = change.from && change.from->generated;
    if (to.primary_key != was_key || to.generated != was_generated) {
      problems_.push_back(unchangeable_key(place));
    } else if (!change.from && may_lack_values && !change.fill) {
      problems_.push_back(
          fmt::format("{} is new, cannot be NULL and has no default: say what existing rows get, "
                      "--fill {}=VALUE; or give the member a default, or make it a std::optional",
                      place, place));
    } else if (change.from && conversion(change.from->kind(), to.kind()) == Conversion::none) {
      problems_.push_back(
          fmt::format("{}: there is no conversion from {} to {}; add a column of another name, "
                      "fill it in SQL of your own (`db revision --empty`), and drop the old one",
                      place, change.from->type, to.type));
    }
  }

  Schema from_;
  const Schema& to_;
  const Intent& intent_;
  const Way way_;
  SchemaDiff diff_{};
  std::set<std::string> used_fills_{};
  std::vector<std::string> problems_{};
};

std::vector<std::string> column_names(const TableSchema& table) {
  std::vector<std::string> names;
  names.reserve(table.columns.size());
  for (const auto& column : table.columns) names.push_back(column.name);
  std::ranges::sort(names);
  return names;
}

void add_key_changes(std::vector<std::string>& lines, std::string_view table, std::string_view what,
                     const std::vector<KeySchema>& from, const std::vector<KeySchema>& to) {
  for (const auto& key : to) {
    if (std::ranges::find(from, key) == from.end()) {
      lines.push_back(fmt::format("{}: new {} {} ({})", table, what, key.name, list(key.columns)));
    }
  }
  for (const auto& key : from) {
    if (std::ranges::find(to, key) == to.end()) {
      lines.push_back(
          fmt::format("{}: no more {} {} ({})", table, what, key.name, list(key.columns)));
    }
  }
}

template <class T, class Order>
bool is_tighter(const std::optional<T>& from, const std::optional<T>& to, Order before) {
  return to && (!from || before(*from, *to));
}

/// Whether a value that `from` allows may be refused by `to`.
bool is_narrower(const ColumnSchema& from, const ColumnSchema& to) {
  return is_tighter(from.ge, to.ge, std::less()) || is_tighter(from.le, to.le, std::greater()) ||
         is_tighter(from.ge_real, to.ge_real, std::less()) ||
         is_tighter(from.le_real, to.le_real, std::greater()) ||
         is_tighter(from.min_length, to.min_length, std::less()) ||
         is_tighter(from.max_length, to.max_length, std::greater());
}

/// What of a column's change a program cannot live with that writes by `from` (null: it writes
/// nothing), and reads by it.
void add_breaks(std::vector<std::string>& lines, const std::string& column,
                const ColumnSchema* from, const ColumnSchema& to) {
  const auto add = [&](std::string_view what) {
    lines.push_back(column + " " + std::string(what));
  };
  if (!from) {
    if (!to.nullable && !to.default_value) add("must be given");
    if (!to.nullable && to.unique) add("must be unique");
    return;
  }
  if (from->nullable && !to.nullable) add("must be given");
  if (!from->nullable && to.nullable) add("may be NULL");
  if (from->type != to.type && conversion(from->kind(), to.kind()) == Conversion::safe) {
    add("becomes " + to.type);
  }
  if (is_narrower(*from, to)) add("has a narrower limit");
  if (from->one_of != to.one_of) add("has other choices");  // an enum reads those it knows only
  if (!from->unique && to.unique) add("must be unique");
  if (to.references && to.references != from->references) {
    add("must refer to " + path(to.references->table, to.references->column));
  }
}

/// The columns of the table's keys over several of them, and of its unique indexes.
std::set<std::vector<std::string>> unique_groups(const TableSchema& table) {
  std::set<std::vector<std::string>> groups;
  for (const auto& key : table.uniques) groups.insert(key.columns);
  for (const auto& key : table.indexes) {
    if (key.unique) groups.insert(key.columns);
  }
  return groups;
}

}  // namespace

Intent Intent::reversed() const {
  Intent back;
  for (const auto& [now, before] : renamed_tables) back.renamed_tables[before] = now;
  for (const auto& [place, before] : renamed_columns) {
    const auto dot = place.find('.');
    const auto table = renamed_tables.find(place.substr(0, dot));
    back.renamed_columns[path(table == renamed_tables.end() ? place.substr(0, dot) : table->second,
                              before)] = place.substr(dot + 1);
  }
  return back;
}

Conversion conversion(Kind from, Kind to) {
  using enum Kind;
  if (from == to) return Conversion::safe;
  const auto is = [&](Kind a, Kind b) { return from == a && to == b; };
  if (to == text) return from == bytes ? Conversion::lossy : Conversion::safe;
  if (is(integer, duration) || is(duration, integer) || is(boolean, integer) || is(integer, real) ||
      is(duration, real)) {
    return Conversion::safe;
  }
  if (is(integer, boolean) || is(real, integer) || is(real, duration)) return Conversion::lossy;
  if (from == text) return Conversion::lossy;
  return Conversion::none;
}

SchemaDiff diff(const Schema& from, const Schema& to, const Intent& intent) {
  return Differ(from, to, intent, Differ::Way::forward).run();
}

SchemaDiff reverse_diff(const Schema& from, const Schema& to, const Intent& intent) {
  return Differ(from, to, intent.reversed(), Differ::Way::back).run();
}

SchemaDiff plain_diff(const Schema& from, const Schema& to) {
  return Differ(from, to, {}, Differ::Way::plain).run();
}

std::vector<std::string> SchemaDiff::summary() const {
  std::vector<std::string> lines;
  lines.reserve(renames.size() + tables.size());
  for (const auto& rename : renames) {
    lines.push_back(rename.table.empty()
                        ? fmt::format("table {} becomes {}", rename.from, rename.to)
                        : fmt::format("{}.{} becomes {}", rename.table, rename.from, rename.to));
  }
  for (const auto& change : tables) {
    if (!change.from) {
      lines.push_back("new table " + change.to->name);
    } else if (!change.to) {
      lines.push_back("no more table " + change.from->name);
    } else {
      const std::string& table = change.to->name;
      for (const auto& [from, to, fill] : change.columns) {
        const std::string place = path(table, to ? to->name : from->name);
        lines.push_back(!from ? place + ": new"
                        : !to ? place + ": no more"
                              : fmt::format("{}: {}", place, differences(*from, *to)));
      }
      add_key_changes(lines, table, "unique", change.from->uniques, change.to->uniques);
      add_key_changes(lines, table, "index", change.from->indexes, change.to->indexes);
    }
  }
  return lines;
}

std::vector<std::string> SchemaDiff::losses() const {
  std::vector<std::string> lines;
  for (const auto& change : tables) {
    if (!change.to) {
      lines.push_back("drops table " + change.from->name);
    } else if (change.from) {
      for (const auto& [from, to, fill] : change.columns) {
        if (!to) {
          lines.push_back("drops column " + path(change.to->name, from->name));
        } else if (from && conversion(from->kind(), to->kind()) != Conversion::safe) {
          lines.push_back(fmt::format("changes column {} from {} to {}",
                                      path(change.to->name, to->name), from->type, to->type));
        }
      }
    }
  }
  return lines;
}

std::vector<std::string> SchemaDiff::breaks() const {
  std::vector<std::string> lines = SchemaDiff{.renames = renames}.summary();
  for (const auto& change : tables) {
    if (!change.from || !change.to) continue;
    for (const auto& [from, to, fill] : change.columns) {
      if (to) add_breaks(lines, path(change.to->name, to->name), from.get(), *to);
    }
    const auto before = unique_groups(*change.from);
    for (const auto& group : unique_groups(*change.to)) {
      if (before.contains(group)) continue;
      lines.push_back(fmt::format("{} ({}) must be unique", change.to->name, list(group)));
    }
  }
  return lines;
}

std::vector<std::string> rename_hints(const SchemaDiff& diff) {
  std::vector<std::string> hints;
  for (const auto& dropped : diff.tables) {
    for (const auto& fresh : diff.tables) {
      if (dropped.to || fresh.from || column_names(*dropped.from) != column_names(*fresh.to)) {
        continue;
      }
      hints.push_back(fmt::format("--rename {}:{}", dropped.from->name, fresh.to->name));
    }
    for (const auto& gone : dropped.columns) {
      for (const auto& fresh : dropped.columns) {
        if (gone.to || fresh.from || gone.from->type != fresh.to->type) continue;
        hints.push_back(
            fmt::format("--rename {}.{}:{}", dropped.to->name, gone.from->name, fresh.to->name));
      }
    }
  }
  return hints;
}

}  // namespace aegis::db
