#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "aegis/core/type.h"
#include "db/driver.h"
#include "db/postgres/libpq.h"

namespace aegis::db::postgres {

/// The server's name of a type: integers, reals, booleans, times and bytes go there in binary; text
/// goes untyped, as text, so that it can be a uuid, json or an enum as well.
Oid type_of(const Cell& cell);

/// A statement's values as libpq takes them. Borrows bytes. Used again for each statement.
class Parameters {
 public:
  /// Throws Error(invalid) for what PostgreSQL cannot store: a text with a zero byte, a time
  /// outside its range.
  void set(std::span<const Cell> values);

  int count() const { return static_cast<int>(pointers_.size()); }
  const char* const* pointers() const { return pointers_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  std::vector<const char*> pointers_;
  std::vector<int> lengths_, formats_;
  std::vector<std::array<char, 8>> numbers_;
  std::string texts_;
};

/// Appends the value as COPY reads it in text format. Throws as Parameters::set().
void append_copy_text(std::string& text, const Cell& cell);

/// Reads results in binary. Its buffers are used again for each result.
class Decoder {
 public:
  /// Hands columns and rows over. Throws Error(internal) that names the column whose type it does
  /// not know, and what `rows` throws.
  void read(const PGresult* result, RowSink& rows);

 private:
  using Read = Cell (*)(Decoder& decoder, int column, const char* data, std::size_t size);
  static Read reader_of(Oid type);
  struct Readers;
  /// `wire` is in microseconds from 2000 on.
  Cell moment(int column, std::int64_t wire) const;

  const PGresult* result_ = nullptr;
  std::vector<Read> readers_;
  std::vector<std::string_view> names_;
  std::vector<Cell> row_;
  std::vector<std::string> texts_;  ///< of the row's cells that are no text on the wire
};

}  // namespace aegis::db::postgres
