#include "ground.h"

#include <cstdlib>
#include <future>

#include "../../support/postgres_server.h"
#include "aegis/core/clock.h"
#include "aegis/core/log.h"

std::vector<std::string> databases() {
  return {"sqlite in memory", "sqlite file", "postgresql"};
}

OnDatabase::OnDatabase(const std::string& kind) : url_("sqlite://:memory:") {
  aegis::log::configure(aegis::log::Level::off);
  if (kind == "sqlite file") {
    url_ = "sqlite:///" + folder_.emplace().path().string() + "/test.db";
  } else if (kind == "postgresql") {
    server_database_ = PostgresServer::shared().create_database();
    url_ = PostgresServer::shared().url(server_database_);
  }
  if (kind.find("://") != kind.npos) url_ = kind;
  database_ = std::make_unique<Database>(runtime_, aegis::DatabaseOptions{.url = url_});
  runtime_.on_stop("database", [this] { return database_->close(); });
  // Registered before the run: hooks cannot be added later.
  runtime_.on_drain("workers", [this]() -> awaitable<void> {
    for (const auto& worker : workers_) co_await worker->drain(5s);
  });
  thread_ = std::thread([this] { runtime_.run(); });
  auto tables = aegis::jobs::tables();
  tables.push_back(&aegis::table_of<Effect>());
  wait(database_->create_all(tables));
}

OnDatabase::~OnDatabase() {
  runtime_.shutdown();
  thread_.join();
  workers_.clear();
  kept_.clear();
  database_.reset();
  if (!server_database_.empty()) PostgresServer::shared().drop_database(server_database_);
}

namespace {

awaitable<void> run_to(std::promise<void>& end, awaitable<void> task) {
  try {
    co_await std::move(task);
    end.set_value();
  } catch (...) {
    end.set_exception(std::current_exception());
  }
}

}  // namespace

void OnDatabase::wait(awaitable<void> task) {
  std::promise<void> end;
  auto ended = end.get_future();
  runtime_.spawn(0, run_to(end, std::move(task)), "test");
  ended.get();
}

std::thread::id OnDatabase::test_thread() {
  std::thread::id id;
  const auto ask = [&]() -> awaitable<void> {
    id = std::this_thread::get_id();
    co_return;
  };
  wait(ask());
  return id;
}

WorkerOptions OnDatabase::quick() {
  WorkerOptions options;
  options.queues = {{.name = "default"}};
  options.concurrency = 10;
  options.lease = 2s;
  options.poll = 100ms;
  return options;
}

Worker& OnDatabase::start(std::vector<const aegis::JobKind*> kinds, WorkerOptions options) {
  workers_.push_back(std::make_unique<Worker>(runtime_, *database_, services_, std::move(kinds),
                                              std::move(options)));
  workers_.back()->start();
  return *workers_.back();
}

awaitable<void> eventually(aegis::FunctionRef<awaitable<bool>()> check,
                           std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const bool holds = co_await check();
    if (holds) co_return;
    BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until,
                          "it did not come to be in " << limit.count() << " s");
    co_await aegis::Clock::system().sleep_for(5ms);
  }
}

awaitable<std::optional<WaitingJob>> waiting(Database& db, std::int64_t id) {
  auto body = [&](Session& s) -> awaitable<std::optional<WaitingJob>> {
    return s.find<WaitingJob>(id);
  };
  co_return co_await db.read(body);
}

awaitable<std::optional<FinishedJob>> finished(Database& db, std::int64_t id) {
  auto body = [&](Session& s) -> awaitable<std::optional<FinishedJob>> {
    return s.find<FinishedJob>(id);
  };
  co_return co_await db.read(body);
}

awaitable<FinishedJob> end_of(Database& db, std::int64_t id) {
  std::optional<FinishedJob> job;
  auto ended = [&]() -> awaitable<bool> {
    job = co_await finished(db, id);
    co_return job.has_value();
  };
  co_await eventually(ended);
  co_return *job;
}

awaitable<std::int64_t> effects(Database& db) {
  co_return co_await db.read(
      [](Session& s) -> awaitable<std::int64_t> { co_return co_await s.select<Effect>().count(); });
}
