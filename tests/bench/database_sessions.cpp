// Sessions on a database with a pool of 16, without HTTP, on one I/O thread. Prints one line of
// JSON.
//
//   database_sessions select URL SECONDS     64 coroutines, each a point select after the other
//   database_sessions latency URL SECONDS    one coroutine, one select at a time
//   database_sessions insert URL SECONDS     64 coroutines, each a transaction with one insert
//   database_sessions bulk URL ROWS          one transaction with that many rows

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"

namespace {

using namespace aegis;
using SteadyClock = std::chrono::steady_clock;

constexpr int coroutines = 64;
constexpr std::int64_t accounts = 100'000;

struct Account {
  std::int64_t id{};
  std::int64_t balance{};
  AEGIS_TABLE(Account, "account", (id, primary_key), (balance))
};

struct Event {
  std::optional<std::int64_t> id{};
  std::string name{};
  AEGIS_TABLE(Event, "event", (id, primary_key), (name))
};

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

class Sessions {
 public:
  Sessions(std::string url, double amount)
      : database_(runtime_, {.url = std::move(url), .connect_args = {{"pool_size", "16"}}}),
        amount_(amount) {
    runtime_.on_stop("database", [this] { return database_.close(); });
  }

  int run(std::string_view work) {
    running_ = work == "select" || work == "insert" ? coroutines : 1;
    for (int i = 0; i < running_; ++i) {
      runtime_.spawn(0,
                     work == "select"    ? selects(i)
                     : work == "insert"  ? inserts(i)
                     : work == "latency" ? latency()
                                         : bulk(),
                     std::string(work));
    }
    const int code = runtime_.run();
    if (!failure_.empty()) std::fprintf(stderr, "%s\n", failure_.c_str());
    return failure_.empty() ? code : 1;
  }

 private:
  /// Does one step after the other until the time is over; the first moments do not count.
  template <class Step>
  awaitable<void> repeat(Step step) {
    try {
      for (int i = 0; i < 20; ++i) co_await step();
      const auto start = SteadyClock::now();
      std::int64_t done = 0;
      for (; seconds_since(start) < amount_; ++done) co_await step();
      per_second_ += static_cast<double>(done) / seconds_since(start);
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
    if (--running_ == 0) {
      std::printf("{\"per_s\": %.0f}\n", per_second_);
      runtime_.shutdown();
    }
  }

  awaitable<void> select_one(std::int64_t id) {
    auto body = [&](Session& s) -> awaitable<Account> { return s.get<Account>(id); };
    const Account account = co_await database_.read(body);
    sum_ += account.balance;
  }

  awaitable<void> selects(int index) {
    std::int64_t next = index;
    co_await repeat([&] { return select_one(next++ * 7919 % accounts + 1); });
  }

  awaitable<void> insert_one(int index) {
    auto body = [&](Session& s) -> awaitable<void> {
      Event event{.name = "event " + std::to_string(index)};
      co_await s.insert(event);
    };
    co_await database_.session(body);
  }

  awaitable<void> inserts(int index) {
    co_await repeat([this, index] { return insert_one(index); });
  }

  awaitable<void> latency() {
    std::vector<double> micros;
    try {
      const auto start = SteadyClock::now();
      for (std::int64_t next = 0; seconds_since(start) < amount_; ++next) {
        const auto sent = SteadyClock::now();
        co_await select_one(next * 7919 % accounts + 1);
        micros.push_back(seconds_since(sent) * 1e6);
      }
      const auto middle = static_cast<std::ptrdiff_t>(micros.size() / 2);
      std::ranges::nth_element(micros, micros.begin() + middle);
      std::printf("{\"median_us\": %.2f}\n", micros[micros.size() / 2]);
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
    runtime_.shutdown();
  }

  awaitable<void> bulk() {
    std::vector<Event> events(static_cast<std::size_t>(amount_));
    for (std::size_t i = 0; i < events.size(); ++i) events[i].name = "event " + std::to_string(i);
    auto body = [&](Session& s) -> awaitable<void> { return s.insert_all(events); };
    try {
      co_await select_one(1);  // connects
      const auto start = SteadyClock::now();
      co_await database_.session(body);
      std::printf("{\"ms\": %.2f}\n", seconds_since(start) * 1e3);
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
    runtime_.shutdown();
  }

  Runtime runtime_{{.threads = 1}};
  Database database_;
  const double amount_;
  int running_ = 0;
  double per_second_ = 0;
  std::int64_t sum_ = 0;
  std::string failure_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s select|latency|insert|bulk URL SECONDS|ROWS\n", argv[0]);
    return 64;
  }
  log::configure(log::Level::warn);
  return Sessions(argv[2], std::atof(argv[3])).run(argv[1]);
}
