#include "db/sqlite/driver.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cmath>
#include <utility>

#include "aegis/core/blocking.h"
#include "aegis/core/runtime.h"
#include "core/run_on.h"
#include "db/sqlite/config.h"
#include "db/sqlite/engine.h"
#include "db/sqlite/inspection.h"
#include "db/sqlite/link.h"

namespace aegis::db::sqlite {
namespace {

class SqliteDriver final : public Driver {
 public:
  SqliteDriver(Runtime& runtime, const DatabaseOptions& options, const Dialect& dialect)
      : dialect_(dialect), engine_(std::make_shared<Engine>(read_config(options))) {
    runtime.before_destruction([weak = std::weak_ptr(engine_)] {
      if (const auto engine = weak.lock()) engine->stop();
    });
  }
  ~SqliteDriver() override {
    notifications_->close();
    engine_->stop();
  }

  const Dialect& dialect() const override { return dialect_; }
  const std::shared_ptr<Notifications>& notifications() const override { return notifications_; }
  bool notifies_in_process() const override { return true; }

  std::unique_ptr<Link> open(const SessionOptions& options,
                             const std::atomic<bool>* cancelled) override {
    return std::make_unique<SqliteLink>(engine_, options, cancelled);
  }

  std::optional<boost::asio::any_io_executor> write_executor() override {
    return engine_->writer.executor();
  }

  awaitable<DatabaseReport> inspect() override;

  awaitable<void> close() override {
    notifications_->close();
    engine_->interrupt();
    co_await run_on(engine_->writer.executor(), close_here(engine_));
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
  const std::shared_ptr<Notifications> notifications_ = std::make_shared<LocalNotifications>();
};

std::vector<DatabaseReport::Fact> pool_facts(const Engine& engine) {
  const Writer::Figures& writer = engine.writer.figures();
  const Readers::Figures& readers = engine.readers.figures();
  const auto number = [](const auto& figure) { return static_cast<std::int64_t>(figure.load()); };
  const std::int64_t groups = number(writer.groups), sessions = number(writer.sessions);
  const double mean = groups ? static_cast<double>(sessions) / static_cast<double>(groups) : 0;
  return {
      {"writers_waiting", number(writer.waiting)},
      {"commits", groups},
      {"sessions_committed", sessions},
      {"sessions_per_commit", std::round(mean * 10) / 10},
      {"rollbacks", number(writer.rollbacks)},
      {"turns_expired", number(writer.expired)},
      {"reader_threads", engine.config.readers},
      {"readers_waiting", number(readers.waiting)},
      {"reads_in_place", number(readers.here)},
      {"reads_moved", number(readers.moved)},
      {"reads_on_readers", number(readers.hopped)},
      {"slow_statements", fmt::format("{}", fmt::join(engine.readers.slow_statements(), "; "))},
  };
}

awaitable<void> SqliteDriver::inspect_here(std::shared_ptr<Engine> engine, DatabaseReport& report) {
  engine->writer.open();
  if (!engine->config.single_connection()) co_return;
  const auto look = [&](Connection& connection) { inspect_contents(connection, report); };
  co_await engine->writer.run_alone(look, nullptr);
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
    } catch (const Failure& error) {
      if (!error.is_interruption()) failure = error.what();  // a lock: inspect_file() tells
    } catch (const Error& error) {
      failure = error.what();
    }
  } else {  // may be busy: not waited for
    boost::asio::post(engine->writer.executor(), [engine] { notice_a_replaced_file(*engine); });
  }
  if (!engine->config.single_connection()) {
    report = co_await run_blocking([engine, report = std::move(report)]() mutable {
      inspect_file(engine->config, engine->writer, report);
      return std::move(report);
    });
  }
  const bool told = std::ranges::any_of(report.problems, &DatabaseReport::Problem::unhealthy);
  if (!failure.empty() && !told) {
    report.problems.insert(report.problems.begin(), {.unhealthy = true, .message = failure});
  }
  report.pool = pool_facts(*engine);
  co_return report;
}

}  // namespace

std::unique_ptr<Driver> make_driver(Runtime& runtime, const DatabaseOptions& options,
                                    const Dialect& dialect) {
  return std::make_unique<SqliteDriver>(runtime, options, dialect);
}

}  // namespace aegis::db::sqlite
