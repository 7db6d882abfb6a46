// Sessions on PostgreSQL: which connection they use, and what becomes of it.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "../../core/run.h"
#include "aegis/core/log.h"
#include "fixture.h"

using namespace aegis;
using namespace aegis::db::postgres::test;

namespace {

struct Everything {
  std::optional<std::int64_t> id{};
  std::string text{};
  std::optional<Bytes> bytes{};
  std::optional<Timestamp> moment{};
  bool flag = false;
  double real = 0;
  std::int64_t whole = 0;

  bool operator==(const Everything&) const = default;
  AEGIS_TABLE(Everything, "everything", (id, primary_key), (text), (bytes), (moment), (flag),
              (real), (whole, unique))
};

/// A coroutine that can be cancelled.
struct Task {
  Task(asio::io_context& on, awaitable<void> work) : io(on) {
    asio::co_spawn(io, std::move(work), asio::bind_cancellation_slot(signal.slot(), [&](auto e) {
                     error = e;
                     ended = true;
                   }));
  }
  void cancel() { signal.emit(asio::cancellation_type::terminal); }
  bool aborted() const { return was_cancelled(error); }
  template <class F>
  void run_until(F reached) {
    while (!reached()) {
      io.restart();
      io.run_for(1ms);
    }
  }

  asio::io_context& io;
  asio::cancellation_signal signal;
  std::exception_ptr error;
  bool ended = false;
};

constexpr const char* running =
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(%' "
    "AND state = 'active' AND pid <> pg_backend_pid()";
constexpr const char* in_transaction =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND state LIKE 'idle in transaction%'";

}  // namespace

BOOST_AUTO_TEST_CASE(reads_outside_a_transaction_cannot_write) {
  Fixture f;
  const auto work = [](Database& db) -> awaitable<void> {
    BOOST_TEST(co_await one<std::string>(db, "SELECT current_setting('transaction_read_only')") ==
               "on");
    BOOST_TEST(co_await one<std::string>(db, "SELECT current_setting('TimeZone')") == "UTC");
    BOOST_TEST((co_await one<std::string>(db, "SELECT current_setting('application_name')"))
                   .starts_with("aegis "));
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_function_that_writes_runs_in_a_transaction) {
  Fixture f;
  f.execute("CREATE TABLE t (v int)");
  f.execute(
      "CREATE FUNCTION put() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) "
      "RETURNING v'");
  const auto work = [](Database& db) -> awaitable<void> {
    co_await db.session([](Session& s) -> awaitable<void> {
      BOOST_TEST((co_await s.query<int>("SELECT put()")).at(0) == 1);
      co_await s.rollback();
      co_await s.query<int>("SELECT put()");
    });
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT count(*) FROM t") == 1);
    const auto read = [](Database& in) -> awaitable<void> {
      co_await one<int>(in, "SELECT put()");
    };
    BOOST_TEST((co_await error_of(read(db))).second ==
               "This session is for reading only; it cannot run: SELECT put()");
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(one_failing_read_does_not_harm_those_beside_it) {
  Fixture f;
  int good = 0;
  int bad = 0;
  const auto read = [&](Database& db, int i) -> awaitable<void> {
    if (i % 5 == 0) {
      const auto wrong = [](Database& in) -> awaitable<void> {
        co_await one<int>(in, "SELECT 1 / (1 - 1)");
      };
      BOOST_TEST(contains((co_await error_of(wrong(db))).second, "division by zero"));
      ++bad;
    } else {
      BOOST_TEST(co_await one<int>(db, "SELECT " + std::to_string(i)) == i);
      ++good;
    }
  };
  for (int i = 0; i < 100; ++i) asio::co_spawn(f.io, read(*f.database, i), [](auto) {});
  f.io.restart();
  while (good + bad < 100) f.io.run_one();
  BOOST_TEST(good == 80);
}

BOOST_AUTO_TEST_CASE(a_long_read_leaves_the_lane) {
  Fixture f({{"lane_timeout", "50"}});
  const auto work = [](Database& db) -> awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      BOOST_TEST(co_await one<std::string>(db, "SELECT 'done' FROM pg_sleep(0.2)") == "done");
    }
    const DatabaseReport report = co_await db.inspect();
    const auto moved =
        std::ranges::find(report.pool, "lane_reads_moved", &DatabaseReport::Fact::name);
    BOOST_TEST((moved->value == Value(std::int64_t{1})));  // the second went elsewhere at once
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_long_read_is_asked_again_when_its_connection_breaks) {
  for (const Settings& settings :
       {Settings{{"lane_timeout", "50"}}, Settings{{"transaction_pooling", "on"}}}) {
    Fixture f(settings);
    f.execute("CREATE TABLE opened ()");
    // The lock shows who has left the lane.
    f.execute(
        "CREATE FUNCTION pass() RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
        "IF current_setting('default_transaction_read_only') = 'off' THEN "
        "PERFORM pg_advisory_xact_lock_shared(1); END IF; "
        "WHILE NOT EXISTS (SELECT FROM opened) LOOP PERFORM pg_sleep(0.01); END LOOP; "
        "RETURN 'passed'; END $$");
    std::string got;
    const auto read = [&](Database& db) -> awaitable<void> {
      got = co_await one<std::string>(db, "SELECT pass()");
    };
    Task task(f.io, read(*f.database));
    const std::string waits =
        " FROM pg_locks WHERE locktype = 'advisory' AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())";
    task.run_until([&] { return task.ended || f.execute("SELECT count(*)" + waits) == "1"; });
    f.execute("SELECT pg_terminate_backend(pid)" + waits);
    f.execute("INSERT INTO opened DEFAULT VALUES");
    task.run_until([&] { return task.ended; });
    BOOST_TEST(!task.error);
    BOOST_TEST(got == "passed");
  }
}

BOOST_AUTO_TEST_CASE(a_statement_that_takes_too_long_is_ended_by_the_server) {
  Fixture f({{"statement_timeout", "100"}});
  const auto work = [](Database& db) -> awaitable<void> {
    const auto sleep = [](Database& in) -> awaitable<void> {
      co_await in.session([](Session& s) -> awaitable<void> {
        co_await s.execute("CREATE TABLE t (v int)");
        co_await s.query<std::string>("SELECT 'x' FROM pg_sleep(10)");
      });
    };
    const auto [code, message] = co_await error_of(sleep(db));
    BOOST_TEST((code == Errc::timeout));
    BOOST_TEST(contains(message, "statement_timeout is 100 ms"), message);
    BOOST_TEST(!contains(message, "SELECT"), message);
    co_await execute(db, "CREATE TABLE t (v int)");  // was rolled back
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(errors_of_values_tell_neither_the_value_nor_the_statement) {
  Fixture f;
  f.execute("CREATE TABLE t (a int, v varchar(3))");
  const auto work = [](Database& db) -> awaitable<void> {
    for (const std::string sql :
         {"SELECT a FROM t WHERE a = $1", "SELECT a FROM t WHERE a = 1 + $1::text::bigint::int",
          "INSERT INTO t (v) VALUES ($1)", "SELECT 1 FROM t WHERE $1::text::date IS NULL",
          "SELECT 1 WHERE now() AT TIME ZONE $1::text IS NULL",
          "SELECT 1 WHERE 'x' ~ ('[' || $1::text)",
          "SELECT 1 WHERE ('{' || $1::text)::json IS NULL",
          "SELECT 1 WHERE 'a'::bytea = decode($1::text || 'x', 'hex')"}) {
      const auto run = [&](Database& in) -> awaitable<void> {
        co_await in.session([&](Session& s) -> awaitable<void> {
          co_await s.execute(sql, std::string("4111111111111111 "));
        });
      };
      const auto [code, message] = co_await error_of(run(db));
      BOOST_TEST((code == Errc::invalid), message);
      BOOST_TEST(message.starts_with("a value does not fit: "), message);
      BOOST_TEST(contains(message, "(SQLSTATE 22"), message);
      BOOST_TEST(!contains(message, "4111"), message);
      BOOST_TEST(!contains(message, "$1"), message);
    }
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_session_sets_the_limit_of_its_statements_itself) {
  Fixture f({{"pool_size", "2"}, {"statement_timeout", "1000"}});
  const auto sleep = [](Database& db, std::string first) -> awaitable<void> {
    co_await db.session([&](Session& s) -> awaitable<void> {
      co_await s.execute(first);
      // Longer than the pool waits for an answer.
      BOOST_TEST((co_await s.query<std::string>("SELECT 'done' FROM pg_sleep(4)")).at(0) == "done");
    });
  };
  const auto work = [&](Database& db) -> awaitable<void> {
    using namespace asio::experimental::awaitable_operators;
    co_await (sleep(db, "SET LOCAL Statement_Timeout = 0") &&
              sleep(db, "SELECT set_config('statement_timeout', '0', true)"));
    // The next one has the limit again.
    BOOST_TEST(
        ((co_await error_of(sleep(db, "SET LOCAL lock_timeout = 0"))).first == Errc::timeout));
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_statement_whose_answer_is_given_up_ends_on_the_server_too) {
  Fixture f({{"statement_timeout", "1000"}});
  f.execute("CREATE SEQUENCE came_to_its_end");
  // The limit is taken away where the client does not see it.
  f.execute(
      "CREATE FUNCTION no_limit() RETURNS text LANGUAGE sql "
      "AS $$ SELECT set_config('statement_timeout', '0', true) $$");
  const auto work = [](Database& db) -> awaitable<void> {
    const auto sleep = [](Database& in) -> awaitable<void> {
      co_await in.session([](Session& s) -> awaitable<void> {
        co_await s.execute("SET LOCAL lock_timeout = 0");
        co_await s.execute("SELECT no_limit()");
        co_await s.execute(
            "DO $$ BEGIN PERFORM pg_sleep(100); PERFORM nextval('came_to_its_end'); END $$");
      });
    };
    const auto [code, message] = co_await error_of(sleep(db));
    BOOST_TEST((code == Errc::unavailable), message);
    BOOST_TEST(contains(message, "no answer for 3000 ms"), message);
  };
  f.wait(work(*f.database));
  while (f.server.execute(running) != "0") f.io.restart(), f.io.run_for(1ms);
  BOOST_TEST(f.execute("SELECT is_called FROM came_to_its_end") == "f");
}

BOOST_AUTO_TEST_CASE(a_cancelled_transaction_ends_at_once_and_on_the_server_too) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE t (v int)");
  const auto sleep = [](Database& db) -> awaitable<void> {
    co_await db.session([](Session& s) -> awaitable<void> {
      co_await s.execute("INSERT INTO t VALUES (1)");
      co_await s.query<std::string>("SELECT 'x' FROM pg_sleep(60)");
    });
  };
  Task task(f.io, sleep(*f.database));
  task.run_until([&] { return f.server.execute(running) == "1"; });
  task.cancel();
  task.run_until([&] { return task.ended; });
  BOOST_TEST(task.aborted());
  // The only connection serves the next one, after its statement and its transaction have ended.
  f.wait(execute(*f.database, "INSERT INTO t VALUES (2)"));
  BOOST_TEST(f.execute("SELECT sum(v) FROM t") == "2");
  BOOST_TEST(f.server.execute(running) == "0");
  BOOST_TEST(f.execute(in_transaction) == "0");
}

BOOST_AUTO_TEST_CASE(a_cancelled_read_leaves_the_lane_as_it_is) {
  Fixture f;
  const auto sleep = [](Database& db) -> awaitable<void> {
    co_await one<std::string>(db, "SELECT 'x' FROM pg_sleep(0.3)");
  };
  Task task(f.io, sleep(*f.database));
  task.run_until([&] { return f.server.execute(running) == "1"; });
  task.cancel();
  task.run_until([&] { return task.ended; });
  BOOST_TEST(task.aborted());
  BOOST_TEST(f.wait(one<int>(*f.database, "SELECT 7")) == 7);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_dropped_is_rolled_back) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE t (v int)");
  const auto work = [](Database& db) -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      Session s = db.begin();
      co_await s.execute("INSERT INTO t VALUES (1)");
    }
    co_await execute(db, "INSERT INTO t VALUES (2)");
  };
  f.wait(work(*f.database));
  BOOST_TEST(f.execute("SELECT sum(v) FROM t") == "2");
}

BOOST_AUTO_TEST_CASE(who_finds_no_connection_free_is_told_who_holds_them) {
  Fixture f({{"pool_size", "1"}, {"pool_timeout", "200"}});
  const auto work = [](Database& db) -> awaitable<void> {
    auto hold = [&](Session& first) -> awaitable<void> {
      co_await first.execute("CREATE TABLE t (v int)");
      const auto [code, message] = co_await error_of(execute(db, "CREATE TABLE u (v int)"));
      BOOST_TEST((code == Errc::unavailable));
      BOOST_TEST(message.starts_with("no database connection was free within 200 ms (each core has "
                                     "1; 1 sessions wait; held by: POST /forge for "),
                 message);
    };
    co_await db.run_session({.origin = "POST /forge"}, hold);
    co_await execute(db, "CREATE TABLE u (v int)");
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(sessions_that_wait_for_a_connection_get_it_in_their_order) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, v bigint)");
  int left = 20;
  const auto insert = [&](Database& db, int i) -> awaitable<void> {
    co_await db.session([&](Session& s) -> awaitable<void> {
      co_await s.execute("INSERT INTO t (v) VALUES ($1)", i);
    });
    --left;
  };
  for (int i = 0; i < 20; ++i) asio::co_spawn(f.io, insert(*f.database, i), [](auto) {});
  f.io.restart();
  while (left > 0) f.io.run_one();
  BOOST_TEST(f.execute("SELECT bool_and(v = id - 1) FROM t") == "t");
}

BOOST_AUTO_TEST_CASE(prepared_statements_survive_changes_of_the_schema_and_discard_all) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE t (v int)");
  f.execute("INSERT INTO t VALUES (1)");
  const auto read = [](Database& db) -> awaitable<std::int64_t> {
    co_return co_await one<std::int64_t>(db, "SELECT * FROM t");
  };
  const auto write = [](Database& db) -> awaitable<void> {
    co_await db.session([](Session& s) -> awaitable<void> {
      co_await s.query<std::int64_t>("UPDATE t SET v = v + 1 RETURNING *");
    });
  };
  f.wait(write(*f.database));
  BOOST_TEST(f.wait(read(*f.database)) == 2);
  f.execute("ALTER TABLE t ALTER v TYPE bigint");
  BOOST_TEST(f.wait(read(*f.database)) == 2);
  f.wait(write(*f.database));
  f.execute("ALTER TABLE t ADD w int");
  BOOST_TEST(f.wait(read(*f.database)) == 3);
  f.wait(write(*f.database));
  f.wait(execute(*f.database, "DEALLOCATE ALL"));
  f.wait(write(*f.database));
  BOOST_TEST(f.wait(read(*f.database)) == 5);
}

BOOST_AUTO_TEST_CASE(without_a_statement_cache_nothing_is_prepared) {
  Fixture f({{"pool_size", "1"}, {"statement_cache", "0"}});
  const auto prepared = [](Database& db) -> awaitable<std::int64_t> {
    co_return co_await one<std::int64_t>(db, "SELECT count(*) FROM pg_prepared_statements");
  };
  BOOST_TEST(f.wait(prepared(*f.database)) == 0);
  f.open({{"statement_cache", "3"}});
  const auto many = [](Database& db) -> awaitable<void> {
    for (int i = 0; i < 10; ++i) {
      BOOST_TEST(co_await one<int>(db, "SELECT " + std::to_string(i)) == i);
    }
  };
  f.wait(many(*f.database));
  BOOST_TEST(f.wait(prepared(*f.database)) == 3);
}

BOOST_AUTO_TEST_CASE(no_answer_reaches_the_wrong_waiter) {
  Fixture f;
  std::uint64_t right = 0;
  int left = 0;
  const auto reader = [&](Database& db, int number) -> awaitable<void> {
    for (int i = 0; i < 300; ++i) {
      const std::int64_t wanted = number * 1000 + i;
      co_await db.read([&](Session& s) -> awaitable<void> {
        const auto found = co_await s.query<std::int64_t>("SELECT $1::bigint", wanted);
        if (found.at(0) == wanted) ++right;
      });
    }
    --left;
  };
  for (int i = 0; i < 64; ++i) {
    ++left;
    asio::co_spawn(f.io, reader(*f.database, i), [](auto) {});
  }
  f.io.restart();
  while (left > 0) f.io.run_one();
  BOOST_TEST(right == 64U * 300U);
}

BOOST_AUTO_TEST_CASE(sessions_that_deadlock_or_collide_run_again) {
  Fixture f;
  f.execute("CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
  f.execute("INSERT INTO t VALUES (1, 0), (2, 0)");
  f.execute("ALTER DATABASE " + f.name + " SET deadlock_timeout = '20ms'");
  int left = 0;
  int runs = 0;
  int holding = 0;
  int together = 2;
  const auto both = [&](Database& db, int first, SessionOptions options) -> awaitable<void> {
    co_await db.session(options, [&](Session& s) -> awaitable<void> {
      ++runs;
      const auto seen = co_await s.query<int>("SELECT v FROM t WHERE id = $1", first);
      co_await s.execute("UPDATE t SET v = v + 1 WHERE id = $1", first);
      ++holding;
      while (holding < together) {  // each holds what the other one wants next
        asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
        co_await timer.async_wait(asio::use_awaitable);
      }
      co_await s.execute("UPDATE t SET v = v + 1 WHERE id = $1", 3 - first);
    });
  };
  const auto run = [&](int sessions, SessionOptions options) {
    runs = holding = 0;
    for (int i = 0; i < sessions; ++i) {
      ++left;
      asio::co_spawn(f.io, both(*f.database, 1 + i % 2, options), [&](const std::exception_ptr& e) {
        BOOST_TEST(!e);
        --left;
      });
    }
    f.io.restart();
    while (left > 0) f.io.run_one();
  };
  run(2, {.attempts = 5});
  BOOST_TEST(runs > 2);
  BOOST_TEST(f.execute("SELECT sum(v) FROM t") == "4");
  run(2, {.isolation = Isolation::serializable, .attempts = 5});
  BOOST_TEST(runs > 2);
  together = 0;
  run(8, {.isolation = Isolation::serializable, .attempts = 50});
  BOOST_TEST(f.execute("SELECT sum(v) FROM t") == "24");
}

BOOST_AUTO_TEST_CASE(a_transaction_is_begun_as_its_session_says) {
  Fixture f;
  const auto work = [](Database& db) -> awaitable<void> {
    const auto settings = [&](SessionOptions options) -> awaitable<std::string> {
      co_return co_await db.session(options, [](Session& s) -> awaitable<std::string> {
        co_return (co_await s.query<std::string>(
                       "SELECT concat_ws(' ', current_setting('transaction_isolation'), "
                       "current_setting('transaction_read_only'), "
                       "current_setting('transaction_deferrable'))"))
            .at(0);
      });
    };
    BOOST_TEST(co_await settings({.isolation = Isolation::repeatable_read}) ==
               "repeatable read off off");
    BOOST_TEST(co_await settings(
                   {.read_only = true, .isolation = Isolation::serializable, .deferrable = true}) ==
               "serializable on on");
  };
  f.wait(work(*f.database));
}

// While a COMMIT is on its way its connection goes to the session that waits for one.
struct SlowCommit : Fixture {
  SlowCommit() : Fixture({{"pool_size", "1"}}) {
    execute("CREATE TABLE slow (name text)");
    execute(
        "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.name = 'bad' THEN RAISE check_violation; END IF; "
        "PERFORM pg_sleep(0.3); RETURN NULL; END $$");
    execute(
        "CREATE CONSTRAINT TRIGGER take_time AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION take_time()");
  }
  awaitable<void> insert(std::string name) {
    co_await database->session([&](Session& s) -> awaitable<void> {
      co_await s.execute("INSERT INTO slow VALUES ($1)", name);
    });
  }
  bool commits() {
    return server.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
                          name) == "1";
  }
  std::string stored() {
    return server.execute("SELECT string_agg(name, ' ' ORDER BY name) FROM slow", name);
  }
};

BOOST_AUTO_TEST_CASE(a_session_cancelled_behind_a_commit_leaves_that_alone) {
  SlowCommit f;
  Task first(f.io, f.insert("first"));
  Task second(f.io, f.insert("second"));
  first.run_until([&] { return f.commits(); });
  second.cancel();
  first.run_until([&] { return first.ended && second.ended; });
  BOOST_TEST(!first.error);
  BOOST_TEST(second.aborted());
  f.wait(f.insert("third"));
  BOOST_TEST(f.stored() == "first third");
}

BOOST_AUTO_TEST_CASE(a_commit_that_fails_is_not_the_next_sessions_failure) {
  SlowCommit f;
  Task bad(f.io, f.insert("bad"));
  Task good(f.io, f.insert("good"));
  bad.run_until([&] { return bad.ended && good.ended; });
  BOOST_TEST(!!bad.error);
  BOOST_TEST(!good.error);
  BOOST_TEST(f.stored() == "good");
}

BOOST_AUTO_TEST_CASE(many_rows_are_copied) {
  Fixture f;
  const auto work = [](Database& db) -> awaitable<void> {
    co_await db.create_all({&table_of<Everything>()});
    std::vector<Everything> rows(5000);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Everything& row = rows[i];
      row.text = "tab\t, line\n, \r, \\N and 盾 " + std::to_string(i);
      if (i % 2) row.bytes = Bytes{std::byte{0}, std::byte{'\\'}, std::byte{255}};
      if (i % 3) row.moment = Timestamp(std::chrono::microseconds(1'795'000'000'123'456));
      row.flag = i % 5 == 0;
      row.real = static_cast<double>(i) / 3;
      row.whole = -static_cast<std::int64_t>(i);
    }
    co_await db.session([&](Session& s) -> awaitable<void> {
      co_await s.savepoint([&]() -> awaitable<void> { co_await s.insert_all(rows); });
    });
    co_await db.read([&](Session& s) -> awaitable<void> {
      const auto found = co_await s.select<Everything>().order_by(Everything::col.id.asc()).all();
      BOOST_TEST((found == rows));
    });

    // One that cannot be stored: nothing is, and the connection is as good as before.
    std::vector<Everything> more(2000);
    for (std::size_t i = 0; i < more.size(); ++i) {
      more[i].id = static_cast<std::int64_t>(100'000 + i);
      more[i].whole = static_cast<std::int64_t>(i);
    }
    const auto insert = [&](Database& in) -> awaitable<void> {
      co_await in.session([&](Session& s) -> awaitable<void> {
        co_await s.savepoint([&]() -> awaitable<void> { co_await s.insert_all(more); });
      });
    };
    const auto [code, message] = co_await error_of(insert(db));
    BOOST_TEST((code == Errc::conflict));
    BOOST_TEST(message == "everything.whole: this value is already taken");
    more[1000].text = std::string("a\0b", 3);
    BOOST_TEST((co_await error_of(insert(db))).second ==
               "A text has a zero byte (U+0000), which PostgreSQL cannot store.");
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT count(*) FROM everything") == 5000);
    more[0].whole = 100'000;
    more[1000].text.clear();
    co_await insert(db);
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT count(*) FROM everything") == 7000);
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(copied_rows_know_their_keys_while_others_insert) {
  Fixture f;
  const auto fill = [](Database& db, int round) -> awaitable<void> {
    std::vector<Everything> rows(20'000);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].text = std::to_string(round);
      rows[i].whole = round * 1'000'000 + static_cast<std::int64_t>(i);
    }
    co_await db.session([&](Session& s) -> awaitable<void> { co_await s.insert_all(rows); });
    const auto stored = co_await db.read([&](Session& s) {
      return s.select<Everything>()
          .where(Everything::col.text == std::to_string(round))
          .order_by(Everything::col.whole.asc())
          .all();
    });
    BOOST_TEST((stored == rows));
  };
  const auto work = [&](Database& db) -> awaitable<void> {
    using namespace asio::experimental::awaitable_operators;
    co_await db.create_all({&table_of<Everything>()});
    co_await (fill(db, 1) && fill(db, 2) && fill(db, 3));
    co_await db.session([](Session& s) -> awaitable<void> {
      co_await s.execute("ALTER TABLE everything ALTER id SET INCREMENT 7");
    });
    co_await fill(db, 4);
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_copy_cancelled_before_it_began_does_not_harm_the_next) {
  PostgresServer server;
  Fixture f({{"pool_size", "1"}}, server);
  f.wait(f.database->create_all({&table_of<Everything>()}));
  std::vector<Everything> rows(1000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].id = rows[i].whole = static_cast<std::int64_t>(i) + 1;
  }
  bool begins = false;
  const auto insert = [&](Database& db, bool freeze) -> awaitable<void> {
    co_await db.session([&](Session& s) -> awaitable<void> {
      co_await s.savepoint([&]() -> awaitable<void> {
        if (freeze) server.freeze();  // the answer to SAVEPOINT is due when the rows come
        begins = true;
        co_await s.insert_all(rows);
      });
    });
  };
  Task task(f.io, insert(*f.database, true));
  task.run_until([&] { return begins; });
  task.cancel();
  task.run_until([&] { return task.ended; });
  server.thaw();
  BOOST_TEST(task.aborted());
  f.wait(insert(*f.database, false));
  BOOST_TEST(server.execute("SELECT count(*) FROM everything", f.name) == "1000");
}

BOOST_AUTO_TEST_CASE(a_copy_run_as_another_statement_is_refused_with_what_to_use) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE pair (a int, b text)");
  const auto work = [](Database& db) -> awaitable<void> {
    const auto before = co_await one<std::int64_t>(db, "SELECT count(*) FROM pair");
    BOOST_TEST(before == 0);
    for (const std::string sql : {"COPY pair TO STDOUT", "copy pair from /* */ stdin (FORMAT csv)",
                                  "/* */ COPY (SELECT 1) TO STDOUT"}) {
      int runs = 0;
      const auto wrong = [&](Database& in) -> awaitable<void> {
        co_await in.session([&](Session& s) -> awaitable<void> {
          ++runs;
          co_await s.execute("INSERT INTO pair VALUES (1, 'x')");
          co_await s.execute(sql);
        });
      };
      const auto [code, message] = co_await error_of(wrong(db));
      BOOST_TEST((code == Errc::invalid), message);
      for (const char* way : {"copy_in()", "copy_out()", "insert_all()"}) {
        BOOST_TEST(contains(message, way), message);
      }
      BOOST_TEST(runs == 1);
    }
    co_await execute(db, "COPY pair TO '/dev/null'");  // by the server itself
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_session_cannot_be_used_while_it_copies) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE pair (a int, b text)");
  const auto work = [](Database& db) -> awaitable<void> {
    const auto in = [](Database& on) -> awaitable<void> {
      co_await on.session([](Session& s) -> awaitable<void> {
        const auto next = [&](std::string& part) -> awaitable<bool> {
          part = "1\tx\n";
          co_await s.execute("INSERT INTO pair VALUES (2, 'y')");
          co_return true;
        };
        co_await s.copy_in("COPY pair FROM STDIN", next);
      });
    };
    const auto out = [](Database& on) -> awaitable<void> {
      co_await on.session([](Session& s) -> awaitable<void> {
        const auto take = [&](std::string_view) -> awaitable<void> { co_await s.commit(); };
        co_await s.copy_out("COPY (SELECT 1) TO STDOUT", take);
      });
    };
    const auto [in_code, in_message] = co_await error_of(in(db));
    BOOST_TEST((in_code == Errc::invalid), in_message);
    BOOST_TEST(contains(in_message, "while the session copies"), in_message);
    const auto [out_code, out_message] = co_await error_of(out(db));
    BOOST_TEST((out_code == Errc::invalid), out_message);
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT count(*) FROM pair") == 0);
    co_await execute(db, "INSERT INTO pair VALUES (3, 'z')");
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_copy_that_is_cancelled_leaves_nothing) {
  Fixture f({{"pool_size", "1"}});
  f.wait(f.database->create_all({&table_of<Everything>()}));
  std::vector<Everything> rows(200'000);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].whole = static_cast<std::int64_t>(i);
  const auto insert = [&](Database& db) -> awaitable<void> {
    co_await db.session([&](Session& s) -> awaitable<void> { co_await s.insert_all(rows); });
  };
  Task task(f.io, insert(*f.database));
  task.run_until([&] {
    return f.server.execute(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY every%' "
               "AND state = 'active'") == "1";
  });
  task.cancel();
  task.run_until([&] { return task.ended; });
  BOOST_TEST(task.aborted());
  BOOST_TEST(f.wait(one<std::int64_t>(*f.database, "SELECT count(*) FROM everything")) == 0);
  f.wait(execute(*f.database, "DELETE FROM everything"));
}

BOOST_AUTO_TEST_CASE(what_is_prepared_survives_a_change_of_a_columns_type) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE t (a text)");
  const auto work = [](Database& db) -> awaitable<void> {
    const std::string key = "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b";
    co_await db.session([&](Session& s) -> awaitable<void> {
      co_await s.execute("INSERT INTO t VALUES ($1)", key);
    });
    for (int i = 0; i < 2; ++i) {  // once on each lane
      co_await db.read([&](Session& s) -> awaitable<void> {
        co_await s.query<std::int64_t>("SELECT count(*) FROM t WHERE a = $1", key);
      });
    }
  };
  f.wait(work(*f.database));
  f.execute("ALTER TABLE t ALTER a TYPE uuid USING a::uuid");
  f.wait(work(*f.database));
  BOOST_TEST(f.execute("SELECT count(*) FROM t") == "2");
}

BOOST_AUTO_TEST_CASE(what_was_prepared_may_be_gone_at_any_place_of_a_batch) {
  Fixture f({{"pool_size", "1"}});
  f.execute("CREATE TABLE t (a int)");
  const auto insert = [](Database& db) -> awaitable<void> {
    co_await execute(db, "INSERT INTO t VALUES (1)");
  };
  f.wait(insert(*f.database));
  const auto forget = [](Database& db) -> awaitable<void> {
    Session s = db.begin();
    co_await s.execute("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$");
  };
  f.wait(forget(*f.database));
  f.wait(insert(*f.database));
  BOOST_TEST(f.execute("SELECT count(*) FROM t") == "2");
}

BOOST_AUTO_TEST_CASE(a_rolled_back_database_is_one_transaction_that_never_ends) {
  Fixture f;
  f.execute("CREATE TABLE t (v int UNIQUE)");
  f.wait(f.database->close());
  f.database =
      std::make_unique<Database>(f.runtime, DatabaseOptions{.url = f.url, .rolled_back = true});
  const auto count = [](Database& db) -> awaitable<std::int64_t> {
    co_return co_await one<std::int64_t>(db, "SELECT count(*) FROM t");
  };
  const auto work = [&](Database& db) -> awaitable<void> {
    co_await execute(db, "INSERT INTO t VALUES (1)");
    BOOST_TEST(co_await count(db) == 1);
    BOOST_TEST((co_await error_of(execute(db, "INSERT INTO t VALUES (2), (1)"))).second ==
               "t.v: this value is already taken");
    const auto wrong = [](Database& in) -> awaitable<void> { co_await one<int>(in, "SELECT 1/0"); };
    BOOST_TEST(contains((co_await error_of(wrong(db))).second, "division by zero"));
    {
      Session dropped = db.begin();
      co_await dropped.execute("INSERT INTO t VALUES (3)");
    }
    co_await db.session([&](Session& s) -> awaitable<void> {
      co_await s.execute("INSERT INTO t VALUES (4)");
      co_await s.rollback();
      co_await s.execute("INSERT INTO t VALUES (5)");
    });
    BOOST_TEST(co_await count(db) == 2);
    co_await execute(db, "CREATE TABLE u (v int)");
  };
  f.wait(work(*f.database));
  BOOST_TEST(f.execute("SELECT count(*) FROM t") == "0");
  f.open({});
  BOOST_TEST(f.wait(count(*f.database)) == 0);
}

BOOST_AUTO_TEST_CASE(each_core_has_connections_of_its_own) {
  Fixture f;
  f.execute("CREATE TABLE t (v int)");
  Runtime runtime({.threads = 2, .handle_signals = false});
  Database db(runtime, {.url = f.url, .connect_args = {{"pool_size", "6"}}});
  std::atomic<int> left = 40;
  std::atomic<int> wrong = 0;
  const auto work = [&](int number) -> awaitable<void> {
    for (int i = 0; i < 20; ++i) {
      co_await execute(db, "INSERT INTO t VALUES (1)");
      if (co_await one<int>(db, "SELECT " + std::to_string(number)) != number) ++wrong;
    }
    if (--left == 0) runtime.shutdown();
  };
  runtime.on_stop("database", [&] { return db.close(); });
  for (int i = 0; i < 40; ++i) runtime.spawn(static_cast<std::size_t>(i % 2), work(i));
  runtime.run();
  BOOST_TEST(left == 0);
  BOOST_TEST(wrong == 0);
  BOOST_TEST(f.execute("SELECT count(*) FROM t") == "800");
}
