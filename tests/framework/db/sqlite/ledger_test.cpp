// What was acknowledged is there: with many threads, and after a process was killed.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <random>
#include <set>

#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;

namespace {

Cell integer(std::int64_t value) {
  return value;
}

}  // namespace

BOOST_AUTO_TEST_CASE(money_moves_and_none_is_lost) {
  constexpr int threads = 8, sessions = 100, accounts = 10;
  Fixture db;
  db.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER CHECK (money >= 0))");
  db.execute("CREATE TABLE transfer (id INTEGER PRIMARY KEY, thread INTEGER, number INTEGER)");
  for (std::int64_t i = 0; i < accounts; ++i) {
    db.execute("INSERT INTO account VALUES ($1, 100)", {integer(i)});
  }

  const auto work = [&](int thread) {
    std::mt19937 random(static_cast<unsigned>(thread));
    int acknowledged = 0;
    for (int number = 0; number < sessions; ++number) {
      const std::int64_t from = random() % accounts, to = random() % accounts, sum = random() % 60;
      auto body = [&](Link& link) -> awaitable<void> {
        co_await write(link, "UPDATE account SET money = money + $2 WHERE id = $1",
                       {integer(to), integer(sum)});
        co_await write(link, "INSERT INTO transfer (thread, number) VALUES ($1, $2)",
                       {integer(thread), integer(number)});
        // Fails when there is not enough, and takes all of the above back.
        co_await write(link, "UPDATE account SET money = money - $2 WHERE id = $1",
                       {integer(from), integer(sum)});
      };
      try {
        if (number % 3) {
          wait(db.session(body));
        } else {  // from here, statement by statement
          wait(db.session_here(body));
        }
        ++acknowledged;
      } catch (const Error& error) {
        if (error.code() != Errc::invalid) throw;
      }
      if (number % 10 == 0 && db.query("SELECT sum(money) FROM account").first() != "1000") {
        throw std::logic_error("half of a transfer was seen");
      }
    }
    return acknowledged;
  };

  std::vector<std::future<int>> running;
  for (int i = 0; i < threads; ++i) running.push_back(std::async(std::launch::async, work, i));
  int acknowledged = 0;
  for (auto& thread : running) acknowledged += thread.get();
  BOOST_TEST(db.query("SELECT sum(money) FROM account").first() == "1000");
  BOOST_TEST(db.query("SELECT count(*) FROM transfer").first() == std::to_string(acknowledged));
  BOOST_TEST(acknowledged > threads * sessions / 4);
}

namespace {

/// Writes without end and reports each number on the pipe as soon as its commit is acknowledged.
[[noreturn]] void write_and_report(const std::filesystem::path& file, int report) {
  const DatabaseOptions options{.url = url_of(file), .connect_args = {{"synchronous", "FULL"}}};
  const auto engine = std::make_shared<sqlite::Engine>(sqlite::read_config(options));
  std::int64_t next = 0;
  auto writer = [&]() -> awaitable<void> {
    for (;;) {
      const std::int64_t number = next++;
      const std::vector<Cell> values{integer(number)};
      sqlite::SqliteLink link(engine, {});
      co_await write(link, "INSERT INTO ledger (number) VALUES ($1)", values);
      co_await link.commit();
      if (::write(report, &number, sizeof number) != sizeof number) ::_exit(1);
    }
  };
  for (int i = 0; i < 16; ++i) {
    asio::co_spawn(engine->writer.executor(), writer(), [](std::exception_ptr) { ::_exit(1); });
  }
  for (;;) ::pause();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_killed_process_loses_nothing_it_acknowledged) {
  for (int round = 0; round < 10; ++round) {
    const Folder folder;
    const std::filesystem::path file = folder.path() / "ledger.db";
    {
      auto engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = url_of(file)}));
      sqlite::SqliteLink link(engine, {});
      wait(write(link, "CREATE TABLE ledger (id INTEGER PRIMARY KEY, number INTEGER UNIQUE)"));
      wait(link.commit());
      engine->stop();
    }
    int report[2];
    BOOST_REQUIRE(::pipe(report) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(report[0]);
      write_and_report(file, report[1]);
    }
    ::close(report[1]);
    std::vector<std::int64_t> acknowledged;
    std::int64_t number = 0;
    const std::size_t enough = 50 + static_cast<std::size_t>(round) * 37;
    while (acknowledged.size() < enough && ::read(report[0], &number, sizeof number) > 0) {
      acknowledged.push_back(number);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(report[0], &number, sizeof number) > 0) acknowledged.push_back(number);
    ::close(report[0]);
    BOOST_TEST(acknowledged.size() >= enough);

    auto engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = url_of(file)}));
    {
      sqlite::SqliteLink link(engine, {});
      std::set<std::string> kept;
      for (auto& row : wait(read(link, "SELECT number FROM ledger")).rows) kept.insert(row[0]);
      std::size_t lost = 0;
      for (const auto known : acknowledged) lost += kept.contains(std::to_string(known)) ? 0 : 1;
      BOOST_TEST(lost == 0U);
      BOOST_TEST(wait(read(link, "PRAGMA integrity_check")).first() == "ok");
    }
    engine->stop();
  }
}
