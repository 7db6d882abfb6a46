// What a session sends with notify() reaches listeners with its commit, and not otherwise.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "aegis/db/listener.h"
#include "on_database.h"

namespace asio = boost::asio;
using aegis::Listener, aegis::Notification;

namespace {

awaitable<std::string> next_payload(Listener& listener) {
  const Notification next = co_await listener.next();
  BOOST_TEST(!next.missed);
  co_return next.payload;
}

awaitable<void> begin(Listener& listener) {
  const Notification first = co_await listener.next();
  BOOST_TEST(first.missed);
  BOOST_TEST(first.channel == "");
}

}  // namespace

DATABASE_TEST(a_notification_comes_after_the_commit) {
  Listener listener = db.listen({"forge"});
  co_await begin(listener);

  Session session = db.begin();
  Shield shield{.name = "Aegis"};
  co_await session.insert(shield);
  session.notify("forge", "Aegis");
  bool committed = false;
  const auto hear = [&]() -> awaitable<void> {
    const auto heard = co_await listener.next();
    BOOST_TEST(committed);
    BOOST_TEST(heard.channel == "forge");
    BOOST_TEST(heard.payload == "Aegis");
    const bool stored = co_await db.read([](Session& s) -> awaitable<bool> {
      co_return co_await s.select<Shield>().where(Shield::col.name == "Aegis").exists();
    });
    BOOST_TEST(stored);
  };
  committed = true;
  co_await session.commit();
  co_await hear();
}

DATABASE_TEST(what_is_rolled_back_is_not_heard) {
  Listener listener = db.listen({"forge"});
  co_await begin(listener);

  Session session = db.begin();
  session.notify("forge", "rolled back");
  co_await session.rollback();
  session.notify("forge", "second try");
  co_await session.commit();
  co_await session.commit();  // nothing is sent twice
  BOOST_TEST(co_await next_payload(listener) == "second try");

  const auto fails = [&]() -> awaitable<void> {
    co_await db.session([&](Session& s) -> awaitable<void> {
      s.notify("forge", "thrown");
      throw Error(Errc::conflict, "no");
      co_return;
    });
  };
  co_await error_of(fails(), Errc::conflict);
  {
    Session forgotten = db.begin();
    forgotten.notify("forge", "forgotten");
  }
  co_await db.session([&](Session& s) -> awaitable<void> {
    s.notify("forge", "kept");
    bool failed = false;
    try {
      co_await s.savepoint([&]() -> awaitable<void> {
        s.notify("forge", "undone");
        throw Error(Errc::conflict, "no");
        co_return;
      });
    } catch (const Error&) {
      failed = true;
    }
    BOOST_TEST(failed);
    s.notify("forge", "after the savepoint");
  });
  BOOST_TEST(co_await next_payload(listener) == "kept");
  BOOST_TEST(co_await next_payload(listener) == "after the savepoint");
}

DATABASE_TEST(a_listener_hears_its_channels_only_in_order) {
  Listener both = db.listen({"forge", "Armoury-2"}), one = db.listen({"Armoury-2"});
  co_await begin(both);
  co_await begin(one);
  const std::string quotes = R"(it's "quoted" \ $1 ; ä -- )";
  co_await db.session([&](Session& s) -> awaitable<void> {
    s.notify("forge", quotes);
    s.notify("Armoury-2");
    s.notify("armoury-2", "another channel");
    s.notify("forge", "second");
    s.notify("forge", quotes);  // equal ones come once
    co_return;
  });
  const Notification first = co_await both.next();
  BOOST_TEST(first.channel == "forge");
  BOOST_TEST(first.payload == quotes);
  const Notification second = co_await both.next();
  BOOST_TEST(second.channel == "Armoury-2");
  BOOST_TEST(second.payload == "");
  BOOST_TEST(co_await next_payload(both) == "second");
  BOOST_TEST((co_await one.next()).channel == "Armoury-2");
  co_await db.session([&](Session& s) -> awaitable<void> {
    s.notify("Armoury-2", "last");
    co_return;
  });
  BOOST_TEST(co_await next_payload(both) == "last");
  BOOST_TEST(co_await next_payload(one) == "last");
}

DATABASE_TEST(a_listener_that_does_not_keep_up_is_told) {
  Listener listener = db.listen({"forge"}), witness = db.listen({"end"});
  co_await begin(listener);
  co_await begin(witness);
  co_await db.session([&](Session& s) -> awaitable<void> {
    for (int i = 0; i < 1003; ++i) s.notify("forge", std::to_string(i));
    s.notify("end");
    co_return;
  });
  BOOST_TEST((co_await witness.next()).channel == "end");
  BOOST_TEST((co_await listener.next()).missed);
  BOOST_TEST(co_await next_payload(listener) == "1001");
  BOOST_TEST(co_await next_payload(listener) == "1002");
}

DATABASE_TEST(a_wait_can_be_cancelled_and_loses_nothing) {
  Listener listener = db.listen({"forge"});
  co_await begin(listener);
  const auto executor = co_await asio::this_coro::executor;
  asio::cancellation_signal cancel;
  asio::steady_timer done(executor, asio::steady_timer::time_point::max());
  std::exception_ptr thrown;
  const auto wait = [&]() -> awaitable<void> {
    asio::post(executor, [&] { cancel.emit(asio::cancellation_type::terminal); });
    co_await listener.next();
  };
  asio::co_spawn(executor, wait(),
                 asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& error) {
                   thrown = error;
                   done.cancel();
                 }));
  boost::system::error_code ignored;
  co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  BOOST_REQUIRE(thrown);
  BOOST_CHECK_THROW(std::rethrow_exception(thrown), boost::system::system_error);
  co_await db.session([&](Session& s) -> awaitable<void> {
    s.notify("forge", "later");
    co_return;
  });
  BOOST_TEST(co_await next_payload(listener) == "later");
}

DATABASE_TEST(bad_channels_and_payloads_are_refused_alike) {
  for (const std::string bad : {"", "two words", "semi;colon", "quote\"", "ä"}) {
    BOOST_CHECK_THROW(db.listen({bad}), Error);
  }
  BOOST_CHECK_THROW(db.listen({}), Error);
  BOOST_CHECK_THROW(db.listen({std::string(64, 'x')}), Error);
  Session session = db.begin();
  BOOST_CHECK_THROW(session.notify(std::string(64, 'x')), Error);
  BOOST_CHECK_THROW(session.notify("forge", std::string(8000, 'x')), Error);
  BOOST_CHECK_THROW(session.notify("forge", std::string("a\0b", 3)), Error);
  Listener listener = db.listen({std::string(63, 'x')});
  co_await begin(listener);
  session.notify(std::string(63, 'x'), std::string(7999, 'y'));
  co_await session.commit();
  BOOST_TEST(co_await next_payload(listener) == std::string(7999, 'y'));
  co_await db.read([](Session& s) -> awaitable<void> {
    BOOST_CHECK_THROW(s.notify("forge"), Error);
    co_return;
  });
}

DATABASE_TEST(a_closed_database_ends_the_wait) {
  Listener listener = db.listen({"forge"});
  co_await begin(listener);
  co_await db.close();
  const auto wait = [&]() -> awaitable<void> { co_await listener.next(); };
  co_await error_of(wait(), Errc::unavailable);
}
