#include "db/postgres/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string>

#include "db/row_reader.h"

namespace aegis::db::postgres {
namespace {

constexpr std::size_t first_rows = 64, most_rows = 4096;  // powers of two
constexpr std::size_t part_bytes = 1 << 18;

/// Passes rows on and measures them.
class Meter final : public RowSink {
 public:
  explicit Meter(RowSink& to) : to_(to) {}

  void columns(std::span<const std::string_view> names) override { to_.columns(names); }
  void row(std::span<const Cell> cells) override {
    ++rows;
    for (const Cell& cell : cells) {
      bytes += sizeof cell;
      if (const auto* text = std::get_if<std::string_view>(&cell)) bytes += text->size();
      if (const auto* blob = std::get_if<std::span<const std::byte>>(&cell)) bytes += blob->size();
    }
    to_.row(cells);
  }
  void restart() override {
    rows = bytes = 0;
    to_.restart();
  }

  std::size_t rows = 0, bytes = 0;

 private:
  RowSink& to_;
};

/// Not closed when it is given up: the end of the transaction does that.
class CursorStream final : public RowStream {
 public:
  CursorStream(PostgresLink& link, const Statement& statement, int number)
      : link_(link), statement_(statement), name_(fmt::format("aegis_{}", number)) {}

  awaitable<bool> next(RowSink& rows) override {
    if (ended_) co_return false;
    if (!declared_) {
      NoRows none;
      const std::string declare =
          fmt::format("DECLARE {} NO SCROLL CURSOR FOR {}", name_, statement_.sql);
      co_await link_.run({declare, statement_.values, true}, none);
      declared_ = true;
    }
    Meter meter(rows);
    const std::string fetch = fmt::format("FETCH {} FROM {}", rows_, name_);
    co_await link_.run({fetch, {}, true}, meter);
    ended_ = meter.rows < rows_;
    const std::size_t row_bytes =
        meter.rows == 0 ? 1 : std::max<std::size_t>(meter.bytes / meter.rows, 1);
    // Powers of two, so that few statements are prepared.
    rows_ = std::bit_floor(std::clamp<std::size_t>(part_bytes / row_bytes, 1, most_rows));
    co_return true;
  }

 private:
  PostgresLink& link_;
  const Statement statement_;
  const std::string name_;
  std::size_t rows_ = first_rows;
  bool declared_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<RowStream> make_stream(PostgresLink& link, const Statement& statement, int number) {
  return std::make_unique<CursorStream>(link, statement, number);
}

}  // namespace aegis::db::postgres
