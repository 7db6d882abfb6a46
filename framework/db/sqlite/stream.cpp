#include "db/sqlite/stream.h"

#include <atomic>
#include <optional>
#include <utility>

#include "aegis/core/blocking.h"

namespace aegis::db::sqlite {
namespace {

constexpr std::size_t part_rows = 1000;
constexpr std::size_t part_bytes = 1 << 18;

/// Keeps rows for another thread.
class Part final : public RowSink {
 public:
  void columns(std::span<const std::string_view> names) override {
    if (names_.empty()) names_.assign(names.begin(), names.end());
  }
  void row(std::span<const Cell> cells) override {
    for (const Cell& cell : cells) {
      values_.push_back(to_value(cell));
      bytes_ += sizeof(Value);
      if (const auto* text = std::get_if<std::string_view>(&cell)) bytes_ += text->size();
      if (const auto* blob = std::get_if<std::span<const std::byte>>(&cell)) bytes_ += blob->size();
    }
    ++rows_;
  }
  void restart() override {}

  bool full() const { return rows_ >= part_rows || bytes_ >= part_bytes; }
  void hand_over(RowSink& to) const {
    const std::vector<std::string_view> names(names_.begin(), names_.end());
    to.columns(names);
    std::vector<Cell> cells(names.size());
    for (std::size_t row = 0; row < rows_; ++row) {
      for (std::size_t i = 0; i < cells.size(); ++i) {
        cells[i] = as_cell(values_[row * cells.size() + i]);
      }
      to.row(cells);
    }
  }

 private:
  std::vector<std::string> names_;
  std::vector<Value> values_;
  std::size_t rows_ = 0, bytes_ = 0;
};

/// What is used on the threads for blocking work, by one call at a time; one that nobody waits for
/// any more ends by itself.
struct Reading {
  Reading(std::shared_ptr<Engine> of, const Statement& statement)
      : engine(std::move(of)), sql(statement.sql) {
    for (const Cell& cell : statement.values) values.push_back(to_value(cell));
  }

  /// Whether there is more.
  bool read(Part& part) {
    try {
      return read_part(part);
    } catch (const Failure&) {
      if (engine->writer.interrupted()) throw closed_error();
      throw;
    }
  }

  bool read_part(Part& part) {
    if (!connection) {
      connection.emplace(engine->config, Connection::Role::reader,
                         [this] { return cancelled || engine->writer.interrupted(); });
      prepared = &connection->prepare(sql);
      std::vector<Cell> cells;
      for (const Value& value : values) cells.push_back(as_cell(value));
      connection->start(*prepared, cells);
    }
    while (!part.full()) {
      if (!connection->step(*prepared, part)) {
        connection.reset();
        return false;
      }
    }
    return true;
  }

  const std::shared_ptr<Engine> engine;
  const std::string sql;
  std::vector<Value> values;
  std::atomic<bool> cancelled = false;
  std::optional<Connection> connection;
  Connection::Prepared* prepared = nullptr;
};

class Stream final : public RowStream {
 public:
  Stream(SqliteLink& link, const Statement& statement) : link_(link), statement_(statement) {}
  ~Stream() override {
    if (reading_) reading_->cancelled = true;
  }

  awaitable<bool> next(RowSink& rows) override {
    if (ended_) co_return false;
    ended_ = true;  // unless it can go on
    if (!reading_) {
      if (!co_await link_.reads_freely()) {
        co_await link_.run(statement_, rows);
        co_return true;
      }
      reading_ = std::make_shared<Reading>(link_.engine(), statement_);
    }
    const auto part = std::make_shared<Part>();
    const bool more =
        co_await run_blocking([reading = reading_, part] { return reading->read(*part); });
    part->hand_over(rows);
    ended_ = !more;
    co_return true;
  }

 private:
  SqliteLink& link_;
  const Statement statement_;
  std::shared_ptr<Reading> reading_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<RowStream> make_stream(SqliteLink& link, const Statement& statement) {
  return std::make_unique<Stream>(link, statement);
}

}  // namespace aegis::db::sqlite
