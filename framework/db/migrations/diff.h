#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "db/table_schema.h"

/// The difference between two schemas, as both databases' steps are made from it.
namespace aegis::db {

/// What the two ends alone do not tell.
struct Intent {
  /// New to old: "clan" → "guild"; "shield.strength" → "power" (by the table's new name).
  std::map<std::string, std::string> renamed_tables{}, renamed_columns{};
  /// What existing rows get in a column that cannot be NULL: "shield.weight" → "0".
  std::map<std::string, std::string> fills{};

  /// The renames of the way back.
  Intent reversed() const;
};

struct ColumnChange {
  std::shared_ptr<const ColumnSchema> from{}, to{};  ///< null: new, or dropped
  std::optional<std::string> fill{};                 ///< for rows that have no value
};

struct TableChange {
  std::shared_ptr<const TableSchema> from{}, to{};  ///< null: new, or dropped
  std::vector<ColumnChange> columns{};              ///< of a table on both sides
};

struct SchemaDiff {
  struct Rename {
    std::string table;  ///< its new name; empty: a table is renamed
    std::string from, to;
    /// Of constraints that have the name in theirs, where constraints have names.
    std::vector<std::pair<std::string, std::string>> constraints{};
  };

  /// They come first: all that follows uses the new names, but for indexes and groups, whose names
  /// still are what they were.
  std::vector<Rename> renames{};
  /// Those on the new side in the order in which they can be created, then the dropped ones, those
  /// that refer to others first.
  std::vector<TableChange> tables{};

  bool empty() const { return renames.empty() && tables.empty(); }
  /// What it changes, a line each: "new table oath", "shield.weight: new".
  std::vector<std::string> summary() const;
  /// The part of it that loses data.
  std::vector<std::string> losses() const;
  /// The part of it, but for losses(), with which programs that know only the old side fail.
  std::vector<std::string> breaks() const;
};

/// Throws Error(invalid), which lists all of it, where the intent names what is not there, a column
/// needs a value for existing rows, or no SQL makes the change by itself.
SchemaDiff diff(const Schema& from, const Schema& to, const Intent& intent);

/// The way back from diff(to, from, intent): columns whose values are gone are filled with zeros,
/// empty texts and the like.
SchemaDiff reverse_diff(const Schema& from, const Schema& to, const Intent& intent);

/// As diff(), but whatever the change is: to say what differs, not to make SQL of it.
SchemaDiff plain_diff(const Schema& from, const Schema& to);

/// Dropped and new columns, or tables, that may be renamed ones: a line each.
std::vector<std::string> rename_hints(const SchemaDiff& diff);

/// How values of one type become values of another.
enum class Conversion : std::uint8_t { safe, lossy, none };
Conversion conversion(Kind from, Kind to);

}  // namespace aegis::db
