// A second server that follows the first, for what may be read a moment late.
#include <algorithm>

#include "fixture.h"

using namespace aegis;
using namespace aegis::db::postgres::test;

namespace {

/// A primary and its replica, with a table `number`, and a Database on both.
struct Pair {
  explicit Pair(Settings settings = {}) {
    primary.execute("CREATE TABLE number (value bigint)");
    open(std::move(settings));
  }
  ~Pair() { wait(database->close()); }

  void open(Settings settings) {
    database = std::make_unique<Database>(
        runtime,
        DatabaseOptions{.url = primary.url(), .read_url = replica.url(), .connect_args = settings});
  }
  void wait(awaitable<void> work) {
    std::exception_ptr error;
    io.restart();
    asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& e) {
      error = e;
      io.stop();
    });
    io.run();
    if (error) std::rethrow_exception(error);
  }

  /// Whether a read with db.read() runs on the replica.
  bool reads_from_replica() {
    bool result = false;
    auto body = [&](Session& s) -> awaitable<void> {
      result = (co_await s.query<std::int64_t>("SELECT pg_is_in_recovery()::int")).at(0) == 1;
    };
    wait(read(body));
    return result;
  }
  awaitable<void> read(FunctionRef<awaitable<void>(Session&)> body) {
    co_await database->read([&](Session& s) -> awaitable<void> { co_await body(s); });
  }
  void wait_for_replica() {
    while (!reads_from_replica()) io.restart(), io.run_for(1ms);
  }
  /// Until the replica has all that was written.
  void catch_up() {
    const auto position = primary.execute("SELECT pg_current_wal_lsn()");
    while (replica.execute("SELECT pg_last_wal_replay_lsn() >= '" + position + "'") != "t") {
    }
  }
  DatabaseReport inspect() {
    DatabaseReport report;
    auto look = [&]() -> awaitable<void> { report = co_await database->inspect(); };
    wait(look());
    return report;
  }

  PostgresServer primary;
  PostgresServer replica{PostgresServer::ReplicaOf{primary}};
  asio::io_context io{1};
  Runtime runtime{{.threads = 1, .handle_signals = false}};
  std::unique_ptr<Database> database;
};

Value fact(const std::vector<DatabaseReport::Fact>& facts, std::string_view name) {
  const auto found = std::ranges::find(facts, name, &DatabaseReport::Fact::name);
  BOOST_REQUIRE(found != facts.end());
  return found->value;
}

std::string problems(const DatabaseReport& report) {
  std::string all;
  for (const auto& problem : report.problems) {
    BOOST_TEST(!problem.unhealthy);
    BOOST_TEST((problem.part == DatabaseReport::Part::replica));
    all += problem.message;
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(only_read_uses_the_replica) {
  Pair p;
  p.wait_for_replica();
  bool on_replica = true;
  const auto where = [&](Session& s) -> awaitable<void> {
    on_replica = (co_await s.query<std::int64_t>("SELECT pg_is_in_recovery()::int")).at(0) == 1;
  };
  const auto session = [&](SessionOptions options) {
    on_replica = !options.replica;
    p.wait(p.database->run_session(options, where));
    return on_replica;
  };
  BOOST_TEST(!session({}));
  BOOST_TEST(!session({.in_place = true}));  // a GET handler's
  BOOST_TEST(!session({.read_only = true}));
  BOOST_TEST(session({.read_only = true, .replica = true}));
  BOOST_TEST(
      session({.read_only = true, .replica = true, .isolation = Isolation::repeatable_read}));
  BOOST_TEST(!session({.read_only = true, .replica = true, .isolation = Isolation::serializable}));

  // A session sees its own writes: those run on the primary.
  auto write_and_read = [](Session& s) -> awaitable<void> {
    co_await s.execute("INSERT INTO number VALUES (1)");
    BOOST_TEST((co_await s.query<std::int64_t>("SELECT value FROM number")).at(0) == 1);
  };
  p.wait(p.database->run_session({}, write_and_read));
  p.catch_up();
  auto read = [](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.query<std::int64_t>("SELECT value FROM number")).at(0) == 1);
  };
  p.wait(p.read(read));

  auto refused = [](Session& s) -> awaitable<void> {
    co_await s.execute("INSERT INTO number VALUES (2)");
  };
  p.wait([](Pair& of, auto& body) -> awaitable<void> {
    const auto [code, text] = co_await error_of(of.read(body));
    BOOST_TEST((code == Errc::invalid));
  }(p, refused));
}

BOOST_AUTO_TEST_CASE(reads_go_to_the_primary_while_the_replica_is_away_and_return) {
  Pair p;
  BOOST_TEST(!p.reads_from_replica());  // the first does not wait until it is connected
  p.wait_for_replica();
  for (const bool hard : {false, true}) {
    if (hard) {
      p.replica.kill();
    } else {
      p.replica.stop();
    }
    for (int i = 0; i < 20; ++i) BOOST_TEST(!p.reads_from_replica());
    BOOST_TEST(contains(problems(p.inspect()), "the replica is away"));
    p.replica.start();
    p.wait_for_replica();
  }
  // In the middle of a session, whose rows come from one server then.
  auto body = [&](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.query<std::int64_t>("SELECT pg_is_in_recovery()::int")).at(0) == 1);
    p.replica.stop();
    BOOST_TEST((co_await s.query<std::int64_t>("SELECT pg_is_in_recovery()::int")).at(0) == 0);
    p.replica.start();
    BOOST_TEST((co_await s.query<std::int64_t>("SELECT pg_is_in_recovery()::int")).at(0) == 0);
  };
  p.wait(p.read(body));
}

// Then nothing is ever sent over a lane.
BOOST_AUTO_TEST_CASE(behind_a_pooler_too_no_read_waits_for_a_replica_that_is_away) {
  Pair p({{"transaction_pooling", "on"}, {"pool_timeout", "600000"}});
  p.wait_for_replica();
  for (const bool hard : {false, true}) {
    if (hard) {
      p.replica.kill();
    } else {
      p.replica.stop();
    }
    for (int i = 0; i < 20; ++i) BOOST_TEST(!p.reads_from_replica());
    p.replica.start();
    p.wait_for_replica();
  }
}

BOOST_AUTO_TEST_CASE(a_replica_that_freezes_holds_up_reads_for_a_moment_only) {
  Pair p({{"lane_timeout", "100"}});
  p.wait_for_replica();
  p.replica.freeze();
  BOOST_TEST(!p.reads_from_replica());
  p.replica.thaw();
  p.wait_for_replica();
}

BOOST_AUTO_TEST_CASE(health_tells_how_far_the_replica_is_behind) {
  Pair p({{"replica_lag_warning", "0"}});
  p.wait_for_replica();
  p.catch_up();
  auto report = p.inspect();
  BOOST_TEST(problems(report) == "");
  BOOST_TEST(std::get<bool>(fact(report.replica, "answers")));
  BOOST_TEST(std::get<std::int64_t>(fact(report.replica, "lag_bytes")) == 0);
  BOOST_TEST(std::get<std::int64_t>(fact(report.replica, "lane_reads")) > 0);

  p.replica.execute("SELECT pg_wal_replay_pause()");
  p.primary.execute("INSERT INTO number VALUES (1)");
  do report = p.inspect();
  while (std::get<std::int64_t>(fact(report.replica, "lag_ms")) == 0);
  BOOST_TEST(std::get<std::int64_t>(fact(report.replica, "lag_bytes")) > 0);
  BOOST_TEST(contains(problems(report), "more than replica_lag_warning (0 ms)"));

  p.replica.execute("SELECT pg_wal_replay_resume()");
  p.catch_up();
  BOOST_TEST(problems(p.inspect()) == "");
}

BOOST_AUTO_TEST_CASE(several_hosts_find_the_one_that_writes) {
  Pair p;
  const std::string hosts = "127.0.0.1:" + std::to_string(p.replica.port()) +
                            ",127.0.0.1:" + std::to_string(p.primary.port());
  const std::string url = "postgresql://aegis:aegis@" + hosts + "/postgres?target_session_attrs=";
  for (const std::string wanted : {"read-write", "prefer-standby"}) {
    Database database(p.runtime, {.url = url + wanted});
    p.wait([](Database& db, bool replica) -> awaitable<void> {
      BOOST_TEST(co_await one<std::int64_t>(db, "SELECT pg_is_in_recovery()::int") == replica);
      co_await db.close();
    }(database, wanted != "read-write"));
  }
}

BOOST_AUTO_TEST_CASE(a_promoted_replica_takes_over) {
  Pair p;
  const std::string url = "postgresql://aegis:aegis@127.0.0.1:" + std::to_string(p.primary.port()) +
                          ",127.0.0.1:" + std::to_string(p.replica.port()) +
                          "/postgres?target_session_attrs=read-write";
  Database database(p.runtime, {.url = url});
  p.wait(execute(database, "INSERT INTO number VALUES (1)"));
  p.catch_up();
  p.primary.stop();
  p.replica.execute("SELECT pg_promote()");
  p.wait(execute(database, "INSERT INTO number VALUES (2)"));
  BOOST_TEST(p.replica.execute("SELECT count(*) FROM number") == "2");
  p.wait(database.close());
}

BOOST_AUTO_TEST_CASE(a_bad_replica_is_refused_with_the_other_settings) {
  Runtime runtime({.threads = 1, .handle_signals = false});
  BOOST_CHECK_THROW(
      Database(runtime, {.url = "sqlite://:memory:", .read_url = "postgresql://host/database"}),
      Error);
  BOOST_CHECK_THROW(Database(runtime, {.url = "postgresql://host/database",
                                       .read_url = "postgresql://host/database?sslmod=require"}),
                    Error);
}
