// What goes wrong with jobs and databases: nothing is lost, no effect happens twice, and every
// outcome says its reason.
#include <atomic>
#include <thread>

#include "../../support/postgres_server.h"
#include "ledger.h"
#include "process.h"

namespace {

/// Ends in every way there is but a good one.
struct Fail {
  static constexpr JobOptions options{.max_attempts = 2,
                                      .backoff = [](int attempt) -> std::chrono::milliseconds {
                                        if (attempt == 1)
                                          throw std::runtime_error("no idea how long");
                                        return 1ms;
                                      }};
  std::string how{};

  AEGIS_FIELDS(Fail, (how))
  awaitable<void> run(JobContext& job) {
    if (how == "nothing known") throw 5;
    if (how == "null") throw static_cast<const char*>(nullptr);
    if (how == "error") throw Error(Errc::forbidden, "not today");
    if (how == "nested") std::throw_with_nested(std::runtime_error("outside"));
    if (how == "cancellation") {
      throw boost::system::system_error(boost::asio::error::operation_aborted);
    }
    if (how == "misuse") job.progress(7);
    if (how == "sql") co_await job.db().execute("SELECT nonsense FROM nowhere");
    if (how == "ignored sql") {
      try {
        co_await job.db().execute("INSERT INTO nowhere VALUES (1)");
      } catch (const Error&) {
      }
      throw std::runtime_error("after a failed statement");
    }
  }
};

/// Holds up its thread once, unless that is the test's own.
struct Block {
  static constexpr JobOptions options{
      .max_attempts = 100, .timeout = 20ms, .backoff = [](int) -> std::chrono::milliseconds {
        return 1ms;
      }};
  AEGIS_FIELDS(Block)
  awaitable<void> run(JobContext& job) {
    if (!blocked) {
      if (std::this_thread::get_id() == test_thread) throw std::runtime_error("not on this thread");
      blocked = true;
      while (!released) std::this_thread::sleep_for(1ms);
      Effect effect{.of = job.id(), .what = "by the one that blocked"};
      co_await job.db().insert(effect);
      co_return;
    }
    Effect effect{.of = job.id(), .what = "by another"};
    co_await job.db().insert(effect);
  }
  static inline std::thread::id test_thread;
  static inline std::atomic<bool> blocked = false, released = false;
};

/// Spoils its own row.
struct Corrupt {
  static constexpr JobOptions options{
      .max_attempts = 2, .backoff = [](int) -> std::chrono::milliseconds { return 1ms; }};
  std::int64_t number{};

  AEGIS_FIELDS(Corrupt, (number))
  awaitable<void> run(JobContext& job) {
    auto spoil = [&](Session& s) -> awaitable<void> {
      co_await s.execute("UPDATE aegis_job SET arguments = '{\"number\":\"seven\"' WHERE id = $1",
                         job.id());
    };
    co_await job.database().session(spoil);
    throw std::runtime_error("and fails");
  }
};

/// What Mark is in the next version of the program.
struct NewMark {
  static constexpr JobOptions options{.name = "Mark"};
  std::int64_t number{};
  std::string colour{};

  AEGIS_FIELDS(NewMark, (number), (colour))
  awaitable<void> run(JobContext& job) {
    Effect effect{.of = number, .what = colour.empty() ? "marked" : colour};
    co_await job.db().insert(effect);
  }
};

template <class J>
awaitable<std::int64_t> enqueue(Database& db, J job, aegis::EnqueueOptions options = {}) {
  auto body = [&](Session& s) -> awaitable<std::int64_t> {
    co_return (co_await s.enqueue(job, options)).id;
  };
  co_return co_await db.session(body);
}

/// Enqueues while `fault` happens and is mended, with two workers beside; then nothing is lost and
/// nothing was done twice.
void survive(PostgresServer& server, const std::function<void()>& fault,
             const std::function<void()>& mend) {
  const std::string url = server.url(server.create_database());
  OnDatabase ground(url);
  Process worker(url);
  ground.worker<Mark>();
  Ledger ledger;
  std::atomic<bool> over = false;
  const auto load = [&]() -> awaitable<void> {
    while (!over) {
      try {
        co_await ledger.enqueue(ground.database(), 20, {.delay = 100ms});
      } catch (const Error&) {  // the ledger has noted what it means
      }
      co_await aegis::Clock::system().sleep_for(20ms);
    }
  };
  std::thread loader([&] { ground.wait(load()); });
  // On this thread: the server ends with the thread that started it.
  for (int i = 0; i < (at_length() ? 20 : 2); ++i) {
    std::this_thread::sleep_for(700ms);
    fault();
    std::this_thread::sleep_for(700ms);
    mend();
  }
  over = true;
  loader.join();
  ground.wait(ledger.check(ground.database()));
  BOOST_TEST(ledger.enqueued() > 0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_database_restarts_under_load) {
  PostgresServer server;
  survive(server, [&] { server.stop(PostgresServer::Stop::immediate); }, [&] { server.start(); });
}

BOOST_AUTO_TEST_CASE(the_database_freezes_under_load) {
  PostgresServer server;
  survive(server, [&] { server.freeze(); }, [&] { server.thaw(); });
}

// The server lets only one transaction that notifies commit at a time.
BOOST_AUTO_TEST_CASE(an_enqueue_does_not_wait_for_commits_that_notify) {
  PostgresServer server(
      {"synchronous_standby_names = 'nobody'", "synchronous_commit = local", "lock_timeout = 20s"});
  const std::string name = server.create_database();
  {
    OnDatabase ground(server.url(name));
    const auto waits_for_standby = [&] {
      return server.execute("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    };
    std::thread notifying([&] {  // and waits for a standby that there is not
      server.execute(
          "BEGIN; CREATE TABLE slow (id int); NOTIFY anything; SET LOCAL synchronous_commit = on; "
          "COMMIT",
          name);
    });
    auto hangs = [&]() -> awaitable<bool> { co_return !waits_for_standby().empty(); };
    ground.wait(eventually(hangs));
    ground.worker<Mark>();
    const auto body = [&]() -> awaitable<void> {
      const auto id = co_await enqueue(ground.database(), Mark{});
      co_await end_of(ground.database(), id);
    };
    ground.wait(body());
    BOOST_TEST(!waits_for_standby().empty());
    server.execute("SELECT pg_cancel_backend(" + waits_for_standby() + ")");
    notifying.join();
  }
}

DATABASE_TEST(however_a_job_fails_its_reason_is_kept) {
  ground.worker<Fail>();
  const std::vector<std::pair<std::string, std::string>> ways{
      {"nothing known", "no std::exception"},
      {"null", "no std::exception"},
      {"error", "not today"},
      {"nested", "outside"},
      {"cancellation", "canceled"},
      {"misuse", "Progress goes from 0 to 1"},
      {"sql", "nowhere"},
      {"ignored sql", "after a failed statement"}};
  for (const auto& [how, reason] : ways) {
    const auto id = co_await enqueue(db, Fail{.how = how});
    // Its back-off throws too: one of a second takes its place.
    const auto job = co_await end_of(db, id);
    BOOST_TEST(job.state == "dead", how);
    BOOST_TEST(job.attempt == 2, how);
    BOOST_TEST(job.error.value_or("").find(reason) != std::string::npos,
               how << ": " << job.error.value_or(""));
  }
}

DATABASE_TEST(a_job_that_blocks_its_thread_is_given_up_and_does_not_hold_up_others) {
  Block::test_thread = std::this_thread::get_id();
  Block::blocked = Block::released = false;
  struct Release {
    ~Release() { Block::released = true; }
  } release;
  auto options = OnDatabase::quick();
  options.grace = 50ms;
  ground.worker<Block, Mark>(options);
  const auto id = co_await enqueue(db, Block{});
  auto blocks = []() -> awaitable<bool> { co_return Block::blocked; };
  co_await eventually(blocks);
  std::vector<Mark> others(40);
  auto body = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(others); };
  co_await db.session(body);
  const auto job = co_await end_of(db, id);
  BOOST_TEST(Block::blocked);
  BOOST_TEST(job.state == "completed");
  BOOST_TEST(job.error.value_or("").find("blocks its thread") != std::string::npos,
             job.error.value_or(""));
  auto all = [&]() -> awaitable<bool> { co_return co_await effects(db) == 41; };
  co_await eventually(all);
  Block::released = true;
  // What it writes in the end comes too late.
  const auto last = co_await enqueue(db, Mark{});
  co_await end_of(db, last);
  auto by_the_late_one = [](Session& s) -> awaitable<void> {
    BOOST_TEST(
        co_await s.select<Effect>().where(Effect::col.what == "by the one that blocked").count() ==
        0);
  };
  co_await db.read(by_the_late_one);
}

DATABASE_TEST(a_job_that_corrupts_its_own_arguments_ends_with_the_reason) {
  ground.worker<Corrupt, Mark>();
  const auto id = co_await enqueue(db, Corrupt{.number = 7});
  const auto job = co_await end_of(db, id);
  BOOST_TEST(job.state == "dead");
  BOOST_TEST(job.attempt == 2);
  BOOST_TEST(job.error.value_or("").starts_with("attempt 2: "), job.error.value_or(""));
  BOOST_TEST(job.error.value_or("").find("and fails") == std::string::npos);
  const auto other = co_await enqueue(db, Mark{});
  BOOST_TEST((co_await end_of(db, other)).state == "completed");
}

BOOST_AUTO_TEST_CASE(a_stuck_job_is_given_up_although_the_database_fails_at_first) {
  Block::blocked = Block::released = false;
  OnDatabase ground("postgresql");
  struct Release {
    ~Release() { Block::released = true; }
  } release;
  const auto body = [&]() -> awaitable<void> {
    Database& db = ground.database();
    auto break_it = [](Session& s) -> awaitable<void> {
      co_await s.execute("CREATE SEQUENCE refused");
      co_await s.execute(
          "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN PERFORM nextval('refused'); RAISE "
          "'not now' USING ERRCODE = '57P03'; END $$ LANGUAGE plpgsql");
      co_await s.execute(
          "CREATE TRIGGER refuse BEFORE UPDATE ON aegis_job FOR EACH ROW WHEN (NEW.state = "
          "'retryable') EXECUTE FUNCTION refuse()");
    };
    co_await db.session(break_it);
    auto options = OnDatabase::quick();
    options.grace = 50ms;
    options.lease = 60s;
    ground.worker<Block>(options);
    const auto id = co_await enqueue(db, Block{});
    auto refused = [&]() -> awaitable<bool> {  // a sequence goes on where a transaction is undone
      co_return co_await db.read([](Session& s) -> awaitable<bool> {
        const auto last =
            co_await s.query<std::int64_t>("SELECT last_value FROM refused WHERE is_called");
        co_return !last.empty();
      });
    };
    co_await eventually(refused, 60s);
    auto mend = [](Session& s) -> awaitable<void> {
      co_await s.execute("DROP TRIGGER refuse ON aegis_job");
    };
    co_await db.session(mend);
    const auto job = co_await end_of(db, id);
    BOOST_TEST(job.state == "completed");
    BOOST_TEST(job.error.value_or("").find("blocks its thread") != std::string::npos,
               job.error.value_or(""));
    Block::released = true;
  };
  Block::test_thread = ground.test_thread();
  ground.wait(body());
}

DATABASE_TEST(workers_of_two_versions_run_beside_each_other) {
  ground.worker<Mark>();
  ground.worker<NewMark>();
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(co_await enqueue(db, Mark{.number = i}));
    // The old version cannot read it: its attempts fail, until the new one has it.
    ids.push_back(
        co_await enqueue(db, NewMark{.number = 100 + i, .colour = "red"}, {.max_attempts = 1000}));
  }
  for (const auto id : ids) BOOST_TEST((co_await end_of(db, id)).state == "completed");
  BOOST_TEST(co_await effects(db) == 40);
}

DATABASE_TEST(many_jobs_for_the_same_moment_all_start) {
  const int count = at_length() ? 100'000 : 5'000;
  Ledger ledger;
  const auto moment = aegis::Clock::system().now() + 1s;
  for (int i = 0; i < count; i += 5'000) {
    co_await ledger.enqueue(db, 5'000,
                            {.run_at = std::chrono::floor<std::chrono::milliseconds>(moment)});
  }
  auto options = OnDatabase::quick();
  options.concurrency = 200;
  ground.worker<Mark>(options);
  ground.worker<Mark>(options);
  co_await ledger.check(db);
}
