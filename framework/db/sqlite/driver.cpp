#include "db/sqlite/driver.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "aegis/core/blocking.h"
#include "core/run_on.h"
#include "db/sqlite/config.h"
#include "db/sqlite/engine.h"
#include "db/sqlite/inspection.h"
#include "db/sqlite/link.h"

namespace aegis::db::sqlite {
namespace {

class SqliteDriver final : public Driver {
 public:
  SqliteDriver(const DatabaseOptions& options, const Dialect& dialect)
      : dialect_(dialect), engine_(std::make_shared<Engine>(read_config(options))) {}
  ~SqliteDriver() override { engine_->stop(); }

  const Dialect& dialect() const override { return dialect_; }

  std::unique_ptr<Link> open(const SessionOptions& options) override {
    return std::make_unique<SqliteLink>(engine_, options);
  }

  std::optional<boost::asio::any_io_executor> write_executor() override {
    return engine_->writer.executor();
  }

  awaitable<DatabaseReport> inspect() override;

  awaitable<void> close() override {
    return run_on(engine_->writer.executor(), close_here(engine_));
  }

 private:
  /// On the writer: opens, so that a file to be created exists, and looks inside where only the
  /// writer can.
  static awaitable<void> inspect_here(std::shared_ptr<Engine> engine, DatabaseReport& report);
  static void notice_a_replaced_file(Engine& engine) {
    try {
      engine.writer.open();
    } catch (const Error&) {  // who needs it next is told
    }
  }
  static awaitable<void> close_here(std::shared_ptr<Engine> engine) {
    engine->close();
    co_return;
  }

  const Dialect& dialect_;
  std::shared_ptr<Engine> engine_;
};

std::vector<DatabaseReport::Fact> pool_facts(const Engine& engine) {
  const Writer::Figures& writer = engine.writer.figures();
  const Readers::Figures& readers = engine.readers.figures();
  const auto text = [](const auto& figure) { return std::to_string(figure.load()); };
  const std::uint64_t groups = writer.groups, sessions = writer.sessions;
  return {
      {"writers_waiting", text(writer.waiting)},
      {"commits", std::to_string(groups)},
      {"sessions_committed", std::to_string(sessions)},
      {"sessions_per_commit",
       groups ? fmt::format("{:.1f}", static_cast<double>(sessions) / static_cast<double>(groups))
              : "0"},
      {"rollbacks", text(writer.rollbacks)},
      {"turns_expired", text(writer.expired)},
      {"reader_threads", std::to_string(engine.config.readers)},
      {"readers_waiting", text(readers.waiting)},
      {"reads_in_place", text(readers.here)},
      {"reads_moved", text(readers.moved)},
      {"reads_on_readers", text(readers.hopped)},
      {"slow_statements", fmt::format("{}", fmt::join(engine.readers.slow_statements(), "; "))},
  };
}

awaitable<void> SqliteDriver::inspect_here(std::shared_ptr<Engine> engine, DatabaseReport& report) {
  engine->writer.open();
  if (!engine->config.single_connection()) co_return;
  const auto look = [&](Connection& connection) { inspect_contents(connection, report); };
  co_await engine->writer.run_alone(look);
}

awaitable<DatabaseReport> SqliteDriver::inspect() {
  const std::shared_ptr<Engine> engine = engine_;
  DatabaseReport report;
  report.implementation = "sqlite";
  report.version = sqlite3_libversion();
  report.url = engine->config.url;
  std::string failure;
  if (engine->config.single_connection() || engine->writer.opening() == 0) {
    try {
      co_await run_on(engine->writer.executor(), inspect_here(engine, report));
    } catch (const Error& error) {
      failure = error.what();
    }
  } else {  // may be busy: not waited for
    boost::asio::post(engine->writer.executor(), [engine] { notice_a_replaced_file(*engine); });
  }
  if (!engine->config.single_connection()) {
    report = co_await run_blocking([engine, report = std::move(report)]() mutable {
      inspect_file(engine->config, report);
      return std::move(report);
    });
  }
  const bool told = std::ranges::any_of(report.problems, &DatabaseReport::Problem::unhealthy);
  if (!failure.empty() && !told) report.problems.insert(report.problems.begin(), {true, failure});
  report.pool = pool_facts(*engine);
  co_return report;
}

}  // namespace

std::unique_ptr<Driver> make_driver(const DatabaseOptions& options, const Dialect& dialect) {
  return std::make_unique<SqliteDriver>(options, dialect);
}

}  // namespace aegis::db::sqlite
