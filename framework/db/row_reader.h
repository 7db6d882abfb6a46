#pragma once

#include <limits>
#include <vector>

#include "db/driver.h"

namespace aegis::db {

/// Reads rows into C++ objects.
class RowReader final : public RowSink {
 public:
  /// For rows whose columns are all of the table's, in order.
  RowReader(detail::Target target, const Table& table) : target_(target), table_(&table) {}
  /// For whatever columns come: a struct takes those with its members' names, and needs one for
  /// each; a scalar takes the first column.
  explicit RowReader(detail::Target target) : target_(target) {}

  /// Rows after that many are counted but not kept.
  void keep_at_most(std::size_t rows) { most_ = rows; }
  /// How many rows came.
  std::size_t count() const { return count_; }
  /// The last row that was kept.
  const void* last() const { return last_; }

  /// Throws Error(internal), which names the column, when a row does not fit.
  void columns(std::span<const std::string_view> names) override;
  void row(std::span<const Cell> cells) override;
  void restart() override;

 private:
  void read(const Cell& cell, const Type& type, void* value, std::string_view column) const;

  detail::Target target_;
  const Table* table_ = nullptr;
  std::vector<std::size_t> column_of_{};  ///< by field; without a table
  std::string first_column_{};            ///< of a scalar; for messages
  std::size_t most_ = std::numeric_limits<std::size_t>::max();
  std::size_t count_ = 0;
  const void* last_ = nullptr;
};

/// For statements that answer no rows.
class NoRows final : public RowSink {
 public:
  void columns(std::span<const std::string_view>) override {}
  void row(std::span<const Cell>) override {}
  void restart() override {}
};

/// Hands over the first column of a statement that writes, a row at a time.
class OneColumn final : public RowSink {
 public:
  explicit OneColumn(FunctionRef<void(const Cell&)> take) : take_(take) {}
  void columns(std::span<const std::string_view>) override {}
  void row(std::span<const Cell> cells) override { take_(cells.front()); }
  void restart() override {}

 private:
  FunctionRef<void(const Cell&)> take_;
};

}  // namespace aegis::db
