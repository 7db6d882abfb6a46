// Many reads share a connection: each gets its own answer, whatever happens to the others.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <random>
#include <thread>

#include "aegis/core/error.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "support/postgres_server.h"

using namespace aegis;
using namespace std::chrono_literals;

namespace {

constexpr int workers = 64;

int queries_wanted() {
  return std::getenv("AEGIS_SOAK") ? 1'000'000 : 50'000;
}

class Interleaved {
 public:
  explicit Interleaved(std::string url) : database_(runtime_, {.url = std::move(url)}) {
    runtime_.on_stop("database", [this] { return database_.close(); });
    for (int i = 0; i < workers; ++i) {
      const auto core = static_cast<std::size_t>(i) % runtime_.size();
      runtime_.spawn(core, work(core, i), "worker");
    }
  }

  void run() { runtime_.run(); }

  int answered() const { return answered_; }
  int cancelled() const { return cancelled_; }
  int failed() const { return failed_; }
  int wrong() const { return wrong_; }
  bool over() const { return running_ == 0; }

 private:
  awaitable<void> ask(std::int64_t value, std::int64_t& answer) {
    auto body = [&](Session& s) -> awaitable<void> {
      // Answers of different lengths, a few of them errors of their own.
      const auto rows = co_await s.query<std::int64_t>(
          "SELECT $1::bigint / ($1::bigint % 97)::bigint * ($1::bigint % 97) + $1::bigint % "
          "($1::bigint "
          "% 97) FROM generate_series(1, 1 + $1::bigint % 3)",
          value);
      answer = rows.front();
    };
    co_await database_.read(body);
  }

  awaitable<void> work(std::size_t core, int worker) {
    using namespace boost::asio::experimental::awaitable_operators;
    std::mt19937 random(static_cast<unsigned>(worker));
    boost::asio::steady_timer timer(runtime_.executor(core));
    while (asked_++ < wanted_) {
      const std::int64_t value = random() % 1'000'000'000;
      std::int64_t answer = -1;
      try {
        if (random() % 10 == 0) {  // given up after a moment
          timer.expires_after(std::chrono::microseconds(random() % 500));
          const auto first =
              co_await (ask(value, answer) || timer.async_wait(boost::asio::use_awaitable));
          if (first.index() == 1) {
            ++cancelled_;
            continue;
          }
        } else {
          co_await ask(value, answer);
        }
        ++answered_;
        if (answer != value) ++wrong_;
      } catch (const Error&) {
        ++failed_;  // a division by zero, or a connection that was ended twice
      }
    }
    if (--running_ == 0) runtime_.shutdown();
  }

  Runtime runtime_{{.threads = 2, .handle_signals = false}};
  Database database_;
  const int wanted_ = queries_wanted();
  std::atomic<int> asked_ = 0, answered_ = 0, cancelled_ = 0, failed_ = 0, wrong_ = 0;
  std::atomic<int> running_ = workers;
};

}  // namespace

BOOST_AUTO_TEST_CASE(no_answer_reaches_another_waiter) {
  PostgresServer server;
  const std::string name = server.create_database();
  Interleaved interleaved(server.url(name));
  std::thread killer([&] {
    while (!interleaved.over()) {
      server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
                     name + "' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1");
      std::this_thread::sleep_for(50ms);
    }
  });
  interleaved.run();
  killer.join();
  BOOST_TEST_MESSAGE(interleaved.answered() << " answered, " << interleaved.cancelled()
                                            << " given up, " << interleaved.failed() << " failed");
  BOOST_TEST(interleaved.wrong() == 0);
  BOOST_TEST(interleaved.answered() > queries_wanted() / 2);
  BOOST_TEST(interleaved.cancelled() > 0);
}
