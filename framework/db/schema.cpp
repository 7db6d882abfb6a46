#include "db/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "aegis/core/error.h"
#include "db/dialect.h"

namespace aegis::db {
namespace {

constexpr std::size_t max_name = 63;  // bytes; PostgreSQL cuts longer names off

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(Errc::internal, fmt::format(format, std::forward<Args>(args)...));
}

/// SQL does not tell names apart by case.
std::string folded(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

void check_name(std::string_view what, std::string_view name) {
  if (name.empty()) refuse("{} has no name.", what);
  if (name.find('\0') != std::string_view::npos) refuse("{} has a name with a zero byte.", what);
  if (name.size() > max_name) {
    refuse("{} has a name of {} bytes; databases take at most {}: {}", what, name.size(), max_name,
           name);
  }
}

void check_columns(const Table& table) {
  std::set<std::string> names;
  for (const Field& field : table.object->fields) {
    check_name(fmt::format("A column of table {}", table.name), field.name);
    if (!names.insert(folded(field.name)).second) {
      refuse("Table {} has two columns named {} (upper and lower case count as the same).",
             table.name, field.name);
    }
    if (!field.type->to_cell) {
      refuse("{}.{} is a list or a struct; a column holds a single value.", table.name, field.name);
    }
  }
}

class CreationOrder {
 public:
  explicit CreationOrder(const std::vector<const Table*>& tables) {
    for (const Table* table : tables) add(*table);
    for (const Table* table : tables_) check_references(*table);
    for (const Table* table : tables_) check_index_names(*table);
  }

  std::vector<const Table*> ordered() {
    for (const Table* table : tables_) visit(*table);
    return std::move(ordered_);
  }

 private:
  void add(const Table& table) {
    check_name(fmt::format("The table of {}", table.object->name), table.name);
    if (folded(table.name).starts_with("sqlite_")) {
      refuse("Table {} cannot have that name: SQLite keeps names in sqlite_ for itself.",
             table.name);
    }
    const auto [at, fresh] = by_name_.emplace(folded(table.name), &table);
    if (fresh) {
      check_columns(table);
      tables_.push_back(&table);
    } else if (at->second->object != table.object) {
      refuse("{} and {} are both stored in a table named {}; give one another name.",
             at->second->object->name, table.object->name, table.name);
    }
  }

  const Table* referred(const Field& field) const {
    const auto at = by_name_.find(folded(field.rules.references_table));
    return at == by_name_.end() ? nullptr : at->second;
  }

  void check_references(const Table& table) const {
    for (const Field& field : table.object->fields) {
      const Rules& rules = field.rules;
      if (rules.references_table.empty()) continue;
      const auto from = fmt::format("{}.{}", table.name, field.name);
      const Table* to = referred(field);
      if (!to) {
        refuse("{} refers to table {}, which is not among the models; add its model to them.", from,
               rules.references_table);
      }
      const Field* column = to->object->find(rules.references_column);
      if (!column) {
        refuse("{} refers to {}.{}, but that table has no such column.", from, to->name,
               rules.references_column);
      }
      if (!column->rules.primary_key && !column->rules.unique) {
        refuse("{} refers to {}.{}, which is neither the primary key nor unique.", from, to->name,
               column->name);
      }
      if (column->type->kind != field.type->kind) {
        refuse("{} refers to {}.{}, which is of another type.", from, to->name, column->name);
      }
      if (rules.on_delete == OnDelete::set_null && !is_nullable(field)) {
        refuse(
            "{} is to be set to NULL when the row it refers to is deleted, but cannot be NULL; "
            "make the member a std::optional.",
            from);
      }
    }
  }

  /// PostgreSQL keeps the names of tables, indexes and unique constraints together.
  void check_index_names(const Table& table) {
    const TableSchema schema = schema_of(table);
    for (const auto& index : schema.indexes) take_name(table, "index", index.name);
    for (const auto& unique : schema.uniques) take_name(table, "constraint", unique.name);
    for (const auto& column : schema.columns) {
      if (!column.unique) continue;
      take_name(table, "constraint", constraint_name(table.name, column.name, "key"));
    }
  }

  void take_name(const Table& table, std::string_view what, const std::string& name) {
    if (by_name_.contains(folded(name)) || !indexes_.insert(folded(name)).second) {
      refuse("The {} {} of table {} has the name of another index, constraint or table.", what,
             name, table.name);
    }
  }

  /// Depth first, so that what a table refers to comes before it.
  void visit(const Table& table) {
    if (std::ranges::find(ordered_, &table) != ordered_.end()) return;
    path_.push_back(&table);
    for (const Field& field : table.object->fields) {
      if (field.rules.references_table.empty()) continue;
      const Table& to = *referred(field);
      if (&to == &table) continue;  // a row may refer to another of its table
      const auto begin = std::ranges::find(path_, &to);
      if (begin != path_.end()) {
        std::string circle;
        for (auto at = begin; at != path_.end(); ++at) circle += fmt::format("{} → ", (*at)->name);
        refuse("Tables refer to each other in a circle, so that none can be created first: {}{}.",
               circle, to.name);
      }
      visit(to);
    }
    path_.pop_back();
    ordered_.push_back(&table);
  }

  std::vector<const Table*> tables_{};
  std::map<std::string, const Table*> by_name_{};
  std::set<std::string> indexes_{};
  std::vector<const Table*> path_{};  ///< from a table to what it refers to, and on
  std::vector<const Table*> ordered_{};
};

}  // namespace

std::vector<const Table*> creation_order(const std::vector<const Table*>& tables) {
  return CreationOrder(tables).ordered();
}

}  // namespace aegis::db
