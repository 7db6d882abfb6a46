#include "db/sqlite/driver.h"

#include <utility>

#include "core/run_on.h"
#include "db/sqlite/config.h"
#include "db/sqlite/engine.h"
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
  static awaitable<void> close_here(std::shared_ptr<Engine> engine) {
    engine->close();
    co_return;
  }

  const Dialect& dialect_;
  std::shared_ptr<Engine> engine_;
};

awaitable<DatabaseReport> SqliteDriver::inspect() {
  co_return DatabaseReport{};
}

}  // namespace

std::unique_ptr<Driver> make_driver(const DatabaseOptions& options, const Dialect& dialect) {
  return std::make_unique<SqliteDriver>(options, dialect);
}

}  // namespace aegis::db::sqlite
