// Sessions: what they commit, what they roll back, and what a failure does to them.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <thread>

#include "on_database.h"

namespace asio = boost::asio;

namespace {

awaitable<std::int64_t> count(Database& db) {
  co_return co_await db.read(
      [](Session& s) -> awaitable<std::int64_t> { co_return co_await s.select<Shield>().count(); });
}

awaitable<void> insert(Session& s, std::string name) {
  Shield row = shield(std::move(name));
  co_await s.insert(row);
}

struct Oops : std::runtime_error {
  using runtime_error::runtime_error;
};

}  // namespace

DATABASE_TEST(a_session_answers_what_its_body_answers) {
  const std::int64_t id = co_await db.session([](Session& s) -> awaitable<std::int64_t> {
    Shield row = shield("a");
    co_await s.insert(row);
    co_return *row.id;
  });
  BOOST_TEST(id > 0);
  BOOST_TEST(co_await count(db) == 1);
}

DATABASE_TEST(a_body_resumes_on_its_callers_executor) {
  const auto before = co_await asio::this_coro::executor;
  const auto thread = std::this_thread::get_id();
  co_await db.session([](Session& s) -> awaitable<void> { co_await insert(s, "a"); });
  BOOST_TEST((co_await asio::this_coro::executor == before));
  BOOST_TEST((std::this_thread::get_id() == thread));
}

DATABASE_TEST(an_exception_rolls_back_and_reaches_the_caller_as_it_is) {
  try {
    co_await db.session([](Session& s) -> awaitable<void> {
      co_await insert(s, "a");
      throw Oops("own");
    });
    BOOST_TEST(false, "not reached");
  } catch (const Oops& error) {
    BOOST_TEST(error.what() == std::string("own"));
  }
  BOOST_TEST(co_await count(db) == 0);
}

DATABASE_TEST(a_session_sees_its_own_writes_and_others_do_not_until_the_commit) {
  if (!ground.has_concurrent_readers()) co_return;
  co_await db.session([&](Session& s) -> awaitable<void> {
    co_await insert(s, "a");
    BOOST_TEST(co_await s.select<Shield>().count() == 1);
    BOOST_TEST(co_await count(db) == 0);
  });
  BOOST_TEST(co_await count(db) == 1);
}

DATABASE_TEST(a_session_of_ones_own_is_committed_or_gone) {
  {
    Session s = db.begin();
    co_await insert(s, "lost");
  }
  BOOST_TEST(co_await count(db) == 0);
  {
    Session s = db.begin();
    co_await insert(s, "kept");
    co_await s.commit();
  }
  BOOST_TEST(co_await count(db) == 1);
  {
    Session s = db.begin();
    co_await insert(s, "undone");
    co_await s.rollback();
    BOOST_TEST(co_await s.select<Shield>().count() == 1);
  }
  BOOST_TEST(co_await count(db) == 1);
}

DATABASE_TEST(a_session_goes_on_after_its_commit_and_its_rollback) {
  {
    Session s = db.begin();
    co_await insert(s, "first");
    co_await s.commit();
    co_await insert(s, "second");
    co_await s.rollback();
    co_await insert(s, "third");
    co_await s.commit();
    co_await s.commit();  // nothing to do
    co_await insert(s, "lost");
  }
  co_await db.read([](Session& s) -> awaitable<void> {
    const auto rows = co_await s.select<Shield>().order_by(Shield::col.name.asc()).all();
    BOOST_TEST(rows.size() == 2);
    BOOST_TEST(rows[0].name == "first");
    BOOST_TEST(rows[1].name == "third");
  });
}

DATABASE_TEST(what_is_for_after_the_commit_comes_then_and_not_after_a_rollback) {
  std::vector<std::string> came;
  Session s = db.begin();
  co_await insert(s, "first");
  s.after_commit([&] { came.emplace_back("first"); });
  BOOST_TEST(came.empty());
  co_await s.commit();
  BOOST_TEST(came.size() == 1);
  co_await insert(s, "second");
  s.after_commit([&] { came.emplace_back("second"); });
  co_await s.rollback();
  co_await insert(s, "third");
  co_await s.commit();
  BOOST_TEST(came.size() == 1);
}

DATABASE_TEST(after_a_failure_a_session_can_only_be_rolled_back) {
  {
    Session s = db.begin();
    co_await insert(s, "a");
    const std::string taken = co_await error_of(insert(s, "a"), Errc::conflict);

    const std::string next = co_await error_of(insert(s, "b"), Errc::internal);
    BOOST_TEST(next.find("failed before") != std::string::npos, next);
    BOOST_TEST(next.find(taken) != std::string::npos, next);
    const auto read = [](Session& in) -> awaitable<void> { co_await in.select<Shield>().count(); };
    co_await error_of(read(s), Errc::internal);
    co_await error_of(s.commit(), Errc::internal);

    co_await s.rollback();
    co_await insert(s, "c");
    co_await s.commit();
  }
  co_await db.read([](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.select<Shield>().one()).name == "c");
  });
}

DATABASE_TEST(a_body_that_hides_a_failure_is_not_committed) {
  const auto hide = [](Database& in) -> awaitable<void> {
    co_await in.session([](Session& s) -> awaitable<void> {
      co_await insert(s, "a");
      co_await error_of(insert(s, "a"), Errc::conflict);
    });
  };
  co_await error_of(hide(db), Errc::internal);
  BOOST_TEST(co_await count(db) == 0);
}

DATABASE_TEST(a_read_that_fails_before_the_first_write_harms_nothing) {
  co_await db.session([](Session& s) -> awaitable<void> {
    const auto wrong = [](Session& in) -> awaitable<void> {
      co_await in.query<int>("SELECT nothing FROM nowhere");
    };
    co_await error_of(wrong(s), Errc::internal);
    co_await insert(s, "a");
  });
  BOOST_TEST(co_await count(db) == 1);
}

DATABASE_TEST(a_session_for_reading_cannot_write) {
  const auto refused = [](Database& in, auto write) -> awaitable<void> {
    auto body = [&](Session& s) -> awaitable<void> { co_await write(s); };
    co_await in.read(body);
  };
  const std::string message = co_await error_of(
      refused(db, [](Session& s) -> awaitable<void> { co_await insert(s, "a"); }), Errc::invalid);
  BOOST_TEST(message.starts_with("This session is for reading only; it cannot run: INSERT INTO"));
  co_await error_of(
      refused(db, [](Session& s) -> awaitable<void> { co_await s.execute("DELETE FROM shield"); }),
      Errc::invalid);
  co_await error_of(
      refused(db, [](Session& s) -> awaitable<void> { co_await s.get_for_update<Shield>(1); }),
      Errc::invalid);
  BOOST_TEST(co_await count(db) == 0);
}

DATABASE_TEST(a_session_in_place_writes_too) {
  auto body = [](Session& s) -> awaitable<void> {
    co_await s.select<Shield>().count();
    co_await insert(s, "a");
    BOOST_TEST(co_await s.select<Shield>().count() == 1);
  };
  co_await db.run_session({.in_place = true}, body);
  BOOST_TEST(co_await count(db) == 1);
}

DATABASE_TEST(a_row_read_for_update_does_not_change_meanwhile) {
  co_await db.session([](Session& s) -> awaitable<void> { co_await insert(s, "counter"); });
  const auto executor = co_await asio::this_coro::executor;
  constexpr int tasks = 20;
  int left = tasks;
  asio::steady_timer done(executor, asio::steady_timer::time_point::max());
  for (int i = 0; i < tasks; ++i) {
    asio::co_spawn(
        executor,
        [](Database& in) -> awaitable<void> {
          co_await in.session([](Session& s) -> awaitable<void> {
            Shield row = co_await s.get_for_update<Shield>(1);
            // Elsewhere in the middle: the lock must hold all the same.
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            row.defense_rating += 1;
            co_await s.update(row);
          });
        }(db),
        [&](const std::exception_ptr& error) {
          BOOST_TEST(!error);
          if (--left == 0) done.cancel();
        });
  }
  boost::system::error_code ignored;
  co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_await db.read([](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.get<Shield>(1)).defense_rating == 10 + tasks);
  });
}

DATABASE_TEST(a_cancelled_session_ends_and_writes_nothing) {
  const auto executor = co_await asio::this_coro::executor;
  asio::cancellation_signal cancel;
  asio::steady_timer done(executor, asio::steady_timer::time_point::max());
  std::exception_ptr thrown;
  bool inside = false;
  bool finished = false;
  const auto wait_forever = [&](Session& s) -> awaitable<void> {
    co_await insert(s, "a");
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    inside = true;
    asio::post(executor, [&] { cancel.emit(asio::cancellation_type::terminal); });
    co_await never.async_wait(asio::use_awaitable);
    finished = true;
  };
  asio::co_spawn(executor, db.session(wait_forever),
                 asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& error) {
                   thrown = error;
                   done.cancel();
                 }));
  boost::system::error_code ignored;
  co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  BOOST_TEST(inside);
  BOOST_TEST(!finished);
  BOOST_REQUIRE(thrown);
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    BOOST_TEST((error.code() == asio::error::operation_aborted));
  }
  BOOST_TEST(co_await count(db) == 0);
}

DATABASE_TEST(sessions_side_by_side_lose_nothing) {
  const auto executor = co_await asio::this_coro::executor;
  constexpr int tasks = 100;
  int left = tasks;
  asio::steady_timer done(executor, asio::steady_timer::time_point::max());
  for (int i = 0; i < tasks; ++i) {
    asio::co_spawn(
        executor,
        [](Database& in, int number) -> awaitable<void> {
          auto body = [&](Session& s) -> awaitable<void> {
            co_await insert(s, "shield " + std::to_string(number));
            if (number % 3 == 0) throw Oops("every third one");
          };
          co_await in.session(body);
        }(db, i),
        [&](const std::exception_ptr&) {
          if (--left == 0) done.cancel();
        });
  }
  boost::system::error_code ignored;
  co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  BOOST_TEST(co_await count(db) == 66);
}

BOOST_AUTO_TEST_CASE(urls_that_no_driver_knows) {
  aegis::Runtime runtime({.threads = 1, .handle_signals = false});
  for (const std::string url :
       {"", "shields.db", "mysql://root:secret@host/db", "postgresql://u:secret@host:port/db"}) {
    try {
      Database database(runtime, {.url = url});
      BOOST_TEST(false, url);
    } catch (const Error& error) {
      BOOST_TEST((error.code() == Errc::invalid));
      BOOST_TEST(std::string(error.what()).find("secret") == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(writes_of_a_rolled_back_database_are_seen_by_all_its_sessions_and_gone_after) {
  const TemporaryFolder folder;
  const std::string url = "sqlite:///" + folder.path().string() + "/test.db";
  aegis::Runtime runtime({.threads = 1, .handle_signals = false});
  boost::asio::io_context io{1};
  {
    Database kept(runtime, {.url = url});
    run(io, kept.create_all({&aegis::table_of<Shield>()}));
    run(io, kept.close());
  }
  const auto test = [](Database& db) -> awaitable<void> {
    co_await db.session([](Session& s) -> awaitable<void> { co_await insert(s, "a"); });
    BOOST_TEST(co_await count(db) == 1);
    const auto fail = [](Database& in) -> awaitable<void> {
      co_await in.session([](Session& s) -> awaitable<void> {
        co_await insert(s, "b");
        co_await insert(s, "a");
      });
    };
    co_await error_of(fail(db), Errc::conflict);
    BOOST_TEST(co_await count(db) == 1);
    co_await db.close();
  };
  {
    Database rolled_back(runtime, {.url = url, .rolled_back = true});
    run(io, test(rolled_back));
  }
  Database after(runtime, {.url = url});
  const auto check = [](Database& db) -> awaitable<void> {
    BOOST_TEST(co_await count(db) == 0);
    co_await db.close();
  };
  run(io, check(after));
}

DATABASE_TEST(a_savepoint_can_fail_alone) {
  co_await db.session([](Session& s) -> awaitable<void> {
    co_await insert(s, "a");
    const auto twice = [](Session& in) -> awaitable<void> {
      co_await in.savepoint([&]() -> awaitable<void> {
        co_await insert(in, "b");
        co_await insert(in, "a");
      });
    };
    co_await error_of(twice(s), Errc::conflict);
    BOOST_TEST(co_await s.select<Shield>().count() == 1);
    co_await s.savepoint([&]() -> awaitable<void> { co_await insert(s, "c"); });
  });
  BOOST_TEST(co_await count(db) == 2);
}

DATABASE_TEST(what_is_for_after_the_commit_is_undone_with_its_savepoint) {
  std::vector<std::string> came;
  co_await db.session([&](Session& s) -> awaitable<void> {
    s.after_commit([&] { came.emplace_back("outer"); });
    try {
      co_await s.savepoint([&]() -> awaitable<void> {
        co_await insert(s, "a");
        s.after_commit([&] { came.emplace_back("inner"); });
        throw Oops("undo");
      });
    } catch (const Oops&) {
    }
  });
  BOOST_TEST(came.size() == 1);
  BOOST_TEST(came.at(0) == "outer");
}

DATABASE_TEST(savepoints_are_nested_and_what_a_body_hides_is_undone) {
  co_await db.session([](Session& s) -> awaitable<void> {
    co_await s.savepoint([&]() -> awaitable<void> {
      co_await insert(s, "outer");
      const auto hides = [](Session& in) -> awaitable<void> {
        co_await in.savepoint([&]() -> awaitable<void> {
          co_await insert(in, "inner");
          co_await error_of(insert(in, "outer"), Errc::conflict);
        });
      };
      co_await error_of(hides(s), Errc::internal);
      co_await error_of(s.commit(), Errc::internal);
      try {
        co_await s.savepoint([&]() -> awaitable<void> {
          co_await insert(s, "inner");
          throw Oops("own");
        });
      } catch (const Oops&) {
      }
    });
    co_await s.savepoint([]() -> awaitable<void> { co_return; });
  });
  BOOST_TEST(co_await count(db) == 1);
}

DATABASE_TEST(a_session_of_one_snapshot_sees_no_change) {
  if (!ground.has_concurrent_readers()) co_return;
  auto body = [&](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<Shield>().count() == 0);
    BOOST_TEST(co_await s.select<Shield>().count() == co_await count(db));
    co_await insert(s, "a");
  };
  co_await db.run_session({.isolation = aegis::Isolation::repeatable_read}, body);
  BOOST_TEST(co_await count(db) == 1);
}

DATABASE_TEST(a_body_that_lost_against_another_runs_again) {
  int runs = 0;
  const auto work = [&](Session& s) -> awaitable<void> {
    co_await insert(s, "a" + std::to_string(runs < 0));
    ++runs;
    if (runs < 3) throw Error(Errc::try_again, "lost");
  };
  co_await db.session(work);
  BOOST_TEST(runs == 3);
  BOOST_TEST(co_await count(db) == 1);
  runs = -100;
  co_await error_of(db.session(work), Errc::try_again);
  BOOST_TEST(runs == -95);
}

DATABASE_TEST(a_body_that_has_committed_a_part_does_not_run_again) {
  int runs = 0;
  const auto work = [&](Session& s) -> awaitable<void> {
    ++runs;
    co_await s.commit();  // nothing yet
    co_await insert(s, "a");
    co_await s.commit();
    throw Error(Errc::try_again, "lost");
  };
  co_await error_of(db.session(work), Errc::unavailable);
  BOOST_TEST(runs == 1);
  BOOST_TEST(co_await count(db) == 1);
}
