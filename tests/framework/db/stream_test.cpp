// Rows one after the other, of results that need not fit into memory.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "on_database.h"

namespace asio = boost::asio;

namespace {

/// The numbers from 1 to `count`.
std::string numbers(std::int64_t count) {
  return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
         std::to_string(count) + ") SELECT ";
}

awaitable<void> fill(Database& db, int shields) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    std::vector<Shield> rows(static_cast<std::size_t>(shields));
    for (int i = 0; i < shields; ++i) {
      rows[static_cast<std::size_t>(i)].name = "Shield " + std::to_string(i);
      rows[static_cast<std::size_t>(i)].defense_rating = i % 100;
    }
    co_await s.insert_all(rows);
  });
}

}  // namespace

DATABASE_TEST(all_rows_come_in_order) {
  co_await fill(db, 3000);
  for (const bool reads : {true, false}) {
    const auto body = [&](Session& s) -> awaitable<void> {
      auto rows = s.select<Shield>()
                      .where(Shield::col.defense_rating < 50)
                      .order_by(Shield::col.id.asc())
                      .stream();
      std::int64_t count = 0, last = 0;
      while (const auto shield = co_await rows.next()) {
        BOOST_REQUIRE_GT(*shield->id, last);
        BOOST_REQUIRE_LT(shield->defense_rating, 50);
        last = *shield->id;
        ++count;
      }
      BOOST_TEST(count == 1500);
      BOOST_TEST(!(co_await rows.next()));
    };
    if (reads) {
      co_await db.read(body);
    } else {
      co_await db.session(body);
    }
  }
}

DATABASE_TEST(a_stream_takes_parameters_and_empty_results) {
  co_await db.read([](Session& s) -> awaitable<void> {
    auto some = s.stream<std::string>(
        numbers(10) + "CAST(i AS text) FROM n WHERE i > $1 AND $2 <> ''", 7, std::string("text"));
    for (const std::string expected : {"8", "9", "10"})
      BOOST_TEST(*co_await some.next() == expected);
    BOOST_TEST(!(co_await some.next()));
    auto none = s.stream<std::int64_t>(numbers(10) + "i FROM n WHERE i > 10");
    BOOST_TEST(!(co_await none.next()));
    BOOST_TEST(!(co_await none.next()));
  });
}

DATABASE_TEST(streams_and_statements_go_side_by_side_in_a_session) {
  co_await fill(db, 2000);
  co_await db.session([](Session& s) -> awaitable<void> {
    auto shields = s.select<Shield>().order_by(Shield::col.id.asc()).stream();
    auto count = s.stream<std::int64_t>(numbers(5000) + "i FROM n");
    std::int64_t seen = 0;
    while (const auto shield = co_await shields.next()) {
      BOOST_REQUIRE((co_await count.next()) == ++seen);
      if (seen % 500 == 0) BOOST_TEST((co_await s.get<Shield>(*shield->id)).name == shield->name);
      if (seen == 1000) {
        Shield one{.name = "written in the middle"};
        co_await s.insert(one);
      }
    }
    BOOST_TEST(seen == 2000);  // as it was at the beginning
  });
  co_await db.read([](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<Shield>().count() == 2001);
  });
}

DATABASE_TEST(a_stream_can_be_left_in_the_middle) {
  co_await fill(db, 100);
  for (int i = 0; i < 15; ++i) {  // more often than there are connections
    co_await db.session([&](Session& s) -> awaitable<void> {
      {
        auto rows = s.stream<std::int64_t>(numbers(100'000) + "i FROM n");
        BOOST_TEST(*co_await rows.next() == 1);
      }
      Shield one{.name = "after " + std::to_string(i)};
      co_await s.insert(one);
      auto unused = s.select<Shield>().stream();
    });
  }
  co_await db.read([](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<Shield>().count() == 115);
  });
}

DATABASE_TEST(a_stream_can_be_cancelled) {
  const auto executor = co_await asio::this_coro::executor;
  asio::cancellation_signal cancel;
  asio::steady_timer done(executor, asio::steady_timer::time_point::max());
  std::exception_ptr thrown;
  const auto read = [&](Session& s) -> awaitable<void> {
    auto rows = s.stream<std::int64_t>(numbers(20'000) + "i FROM n");
    co_await rows.next();
    asio::post(executor, [&] { cancel.emit(asio::cancellation_type::terminal); });
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
  };
  asio::co_spawn(executor, db.session(read),
                 asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& error) {
                   thrown = error;
                   done.cancel();
                 }));
  boost::system::error_code ignored;
  co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  BOOST_TEST(bool(thrown));
  co_await fill(db, 1);
}

DATABASE_TEST(a_failure_in_the_middle_reaches_the_reader) {
  const auto read = [&]() -> awaitable<void> {
    co_await db.read([](Session& s) -> awaitable<void> {
      auto rows = s.stream<std::int64_t>("SELECT id FROM nowhere");
      co_await rows.next();
    });
  };
  co_await error_of(read(), Errc::internal);
  const auto write = [&]() -> awaitable<void> {
    co_await db.session([](Session& s) -> awaitable<void> {
      auto rows = s.stream<std::int64_t>("DELETE FROM shield RETURNING id");
      co_await rows.next();
    });
  };
  co_await error_of(write(), Errc::invalid);
}

DATABASE_TEST(large_rows_come_in_small_parts) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    const std::string large(1 << 20, 'x');
    auto rows = s.stream<std::string>(numbers(50) + "$1 || CAST(i AS text) FROM n", large);
    std::size_t count = 0;
    while (const auto text = co_await rows.next()) {
      BOOST_REQUIRE_GE(text->size(), large.size());
      ++count;
    }
    BOOST_TEST(count == 50);
  });
}
