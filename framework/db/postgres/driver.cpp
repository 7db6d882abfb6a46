#include "db/postgres/driver.h"

#include <algorithm>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "aegis/core/runtime.h"
#include "core/wakeup.h"
#include "db/postgres/announcer.h"
#include "db/postgres/dialect.h"
#include "db/postgres/inspection.h"
#include "db/postgres/link.h"
#include "db/postgres/listening.h"
#include "db/postgres/replica.h"

namespace aegis::db::postgres {
namespace {

namespace asio = boost::asio;

constexpr Milliseconds close_limit{1000};
constexpr Milliseconds inspection_patience{1000};  // whoever asks for health does not want to wait

class PostgresDriver final : public Driver {
 public:
  PostgresDriver(const DatabaseOptions& options, std::size_t cores)
      : engine_(std::make_shared<Engine>(read_config(options, cores))),
        notifications_(make_notifications(engine_)),
        announcer_(std::make_shared<Announcer>(engine_)) {
    if (options.read_url.empty() || options.rolled_back) return;
    DatabaseOptions of_replica = options;
    of_replica.url = std::exchange(of_replica.read_url, "");
    Config config = read_config(of_replica, cores);
    config.replica = true;
    replica_ = std::make_shared<Replica>(std::make_shared<Engine>(std::move(config)));
  }

  ~PostgresDriver() override {
    notifications_->close();
    abandon(*engine_);
    if (replica_) abandon(*replica_->engine);
  }

  const Dialect& dialect() const override { return postgres::dialect(); }
  const std::shared_ptr<Notifications>& notifications() const override { return notifications_; }
  bool notifies_in_process() const override { return engine_->config().rolled_back; }
  void announce(const asio::any_io_executor& executor, std::string_view channel,
                std::string_view payload) override {
    if (notifies_in_process()) return Driver::announce(executor, channel, payload);
    announcer_->announce(executor, channel, payload);
  }

  std::unique_ptr<Link> open(const SessionOptions& options, const std::atomic<bool>*) override {
    // A replica cannot be serializable.
    if (replica_ && options.replica && options.read_only &&
        options.isolation != Isolation::serializable) {
      return std::make_unique<ReplicaLink>(replica_, engine_, options);
    }
    return std::make_unique<PostgresLink>(engine_, options);
  }

  awaitable<DatabaseReport> inspect() override;
  awaitable<void> close() override {
    notifications_->close();
    if (replica_) co_await close_all(replica_->engine);
    co_await close_all(engine_);
  }

 private:
  static void abandon(Engine& engine) {
    engine.close();
    // A core that is still listed has a context that is still there.
    engine.for_each([](const std::shared_ptr<Core>& core) {
      asio::post(core->executor(), [core] { core->close(); });
    });
  }
  static awaitable<void> close_all(std::shared_ptr<Engine> engine);

  std::shared_ptr<Engine> engine_;
  const std::shared_ptr<Notifications> notifications_;
  const std::shared_ptr<Announcer> announcer_;
  std::shared_ptr<Replica> replica_;  ///< null without one
};

std::vector<DatabaseReport::Fact> pool_facts(const Engine& engine) {
  std::int64_t reads = 0, moved = 0, transactions = 0;
  std::int64_t open = 0, idle = 0, held = 0, waiting = 0, heard = 0, cores = 0;
  const auto number = [](const auto& figure) { return static_cast<std::int64_t>(figure.load()); };
  engine.for_each([&](const std::shared_ptr<Core>& core) {
    const Core::Figures& figures = core->figures();
    reads += number(figures.reads);
    moved += number(figures.reads_moved);
    transactions += number(figures.transactions);
    open += number(figures.open);
    idle += number(figures.idle);
    held += number(figures.held);
    waiting += number(figures.waiting);
    heard += number(figures.heard);
    ++cores;
  });
  return {
      {"pool_size", engine.config().pool_size_now()},
      {"pool_open", open},
      {"pool_idle", idle},
      {"pool_held", held},
      {"pool_waiting", waiting},
      {"transactions_committed", transactions},
      {"lanes", 2 * cores},
      {"lane_reads", reads},
      {"lane_reads_moved", moved},
      {"channels_heard", heard},
  };
}

awaitable<void> inspect_replica_of(std::shared_ptr<Replica> replica, std::string_view position,
                                   DatabaseReport& report) {
  const Config& config = replica->engine->config();
  report.replica = {{"url", config.url}};
  std::int64_t reads = 0;
  replica->engine->for_each([&](const std::shared_ptr<Core>& core) {
    reads += static_cast<std::int64_t>(core->figures().reads.load());
  });
  report.replica.push_back({"lane_reads", reads});
  bool answers = true;
  try {
    const auto patience = std::min(config.pool_timeout, inspection_patience);
    PostgresLink link(replica->engine, {.read_only = true, .origin = "inspect"}, patience);
    co_await inspect_replica(link, position, config.replica_lag_warning, report);
  } catch (const Error& error) {
    answers = false;
    report.problems.push_back(
        {.unhealthy = false,
         .message =
             std::string("the replica is away, its reads go to the primary: ") + error.what(),
         .part = DatabaseReport::Part::replica});
  }
  report.replica.push_back({"answers", answers});
}

awaitable<DatabaseReport> PostgresDriver::inspect() {
  const std::shared_ptr<Engine> engine = engine_;
  const std::shared_ptr<Replica> replica = replica_;
  std::string position;
  DatabaseReport report;
  report.implementation = "postgresql";
  report.url = engine->config().url;
  try {
    const auto patience = std::min(engine->config().pool_timeout, inspection_patience);
    PostgresLink link(engine, {.read_only = true, .origin = "inspect"}, patience);
    if (replica) position = co_await write_position(link);
    co_await inspect_server(link, report);
  } catch (const Error& error) {
    report.problems.push_back({true, error.what()});
  }
  if (replica) co_await inspect_replica_of(replica, position, report);
  report.pool = pool_facts(*engine);
  co_return report;
}

awaitable<void> PostgresDriver::close_all(std::shared_ptr<Engine> engine) {
  const auto executor = co_await asio::this_coro::executor;
  const auto context = [](const asio::any_io_executor& of) {
    return &asio::query(of, asio::execution::context);
  };
  engine->close();
  const auto elsewhere = std::make_shared<std::atomic<int>>(0);
  const auto wakeup = std::make_shared<Wakeup>(executor);
  std::shared_ptr<Core> here;
  engine->for_each([&](const std::shared_ptr<Core>& core) {
    if (context(core->executor()) == context(executor)) {
      here = core;
      return;
    }
    ++*elsewhere;
    asio::post(core->executor(), [core, elsewhere, done = wakeup->handle()] {
      core->close();
      if (--*elsewhere == 0) done.notify();
    });
  });
  if (here) here->close();
  if (*elsewhere == 0) co_return;
  asio::steady_timer limit(executor, close_limit);  // for a context that nobody runs
  limit.async_wait([done = wakeup->handle()](boost::system::error_code) { done.notify(); });
  co_await wakeup->wait();
}

}  // namespace

std::unique_ptr<Driver> make_driver(Runtime& runtime, const DatabaseOptions& options) {
  return std::make_unique<PostgresDriver>(options, runtime.size());
}

}  // namespace aegis::db::postgres
