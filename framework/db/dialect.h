#pragma once

#include <string>
#include <vector>

#include "aegis/db/query.h"

namespace aegis::db {

/// SQL text and the values of its parameters, in order.
struct Sql {
  std::string text;
  std::vector<Value> values{};
};

/// How one database writes what the builders describe. The base class writes what both share.
class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual std::string_view name() const = 0;
  /// Whether an inserted row's key is told by the driver; otherwise INSERT … RETURNING asks for it.
  virtual bool key_by_last_insert_id() const = 0;
  /// The column's type in DDL.
  virtual std::string column_type(const Field& field) const = 0;
  /// CREATE TABLE and CREATE INDEX statements, as a person would write them.
  virtual std::vector<std::string> create(const Table& table) const = 0;
  /// What follows SELECT … to lock rows; empty where the driver locks by other means.
  virtual std::string_view for_update() const = 0;

  Sql select(const SelectQuery& query) const;
  Sql count(const SelectQuery& query) const;
  Sql update(const UpdateQuery& query, bool returning) const;
  Sql remove(const DeleteQuery& query, bool returning) const;
};

}  // namespace aegis::db
