#include "db/postgres/connect.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "core/wakeup.h"

namespace aegis::db::postgres {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

// Of the database's own: a server that does not answer holds up nothing else. Never destroyed, as a
// call that hangs must not hold up the end of the process.
asio::thread_pool& connecting() {
  static auto& threads = *new asio::thread_pool(8);
  return threads;
}
asio::thread_pool& cancelling() {
  static auto& threads = *new asio::thread_pool(4);
  return threads;
}
constexpr int most_cancels = 64;  // at once: behind them, they would come too late
std::atomic<int> cancels = 0;

/// `work` must own what it uses: it runs to its end, also when nobody waits any more.
template <class F>
awaitable<std::invoke_result_t<F&>> on(asio::thread_pool& threads, F work) {
  using Result = std::invoke_result_t<F&>;
  const auto result = std::make_shared<Result>();
  const auto wakeup = std::make_shared<Wakeup>(co_await asio::this_coro::executor);
  asio::post(threads, [work = std::move(work), result, done = wakeup->handle()]() mutable {
    ::pthread_setname_np(::pthread_self(), "aegis-postgres");
    *result = work();
    done.notify();
  });
  co_await wakeup->wait();
  co_return std::move(*result);
}

std::string settings(const Config& config, Role role) {
  const auto limit = role == Role::lane ? config.lane_timeout : config.statement_timeout;
  std::string sql = "SET TimeZone = 'UTC'";  // which PgBouncer keeps for each of its clients
  if (config.transaction_pooling) return sql;
  sql += fmt::format("; SET statement_timeout = {}", limit.count());
  if (config.jit_off) sql += "; SET jit = off";
  if (role == Role::lane) sql += "; SET default_transaction_read_only = on";
  if (config.rolled_back) sql += "; BEGIN";
  return sql;
}

/// Runs SQL without rows; answers what went wrong.
std::string run(PGconn* connection, const std::string& sql, Milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  if (!PQsendQuery(connection, sql.c_str())) return PQerrorMessage(connection);
  for (;;) {
    while (!PQisBusy(connection)) {
      const Result result(PQgetResult(connection));
      if (!result) return "";
      if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
        return PQresultErrorMessage(result.get());
      }
    }
    const auto rest =
        std::chrono::duration_cast<Milliseconds>(deadline - steady_clock::now()).count();
    pollfd socket{PQsocket(connection), POLLIN, 0};
    if (rest <= 0 || ::poll(&socket, 1, static_cast<int>(rest)) == 0) return "timeout expired";
    if (!PQconsumeInput(connection)) return PQerrorMessage(connection);
  }
}

Attempt connect_now(const Config& config, Role role) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : config.keywords) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  Handle handle(PQconnectdbParams(keywords.data(), values.data(), 0));
  if (!handle) return {.failure = "out of memory"};
  if (PQstatus(handle.get()) != CONNECTION_OK) return {.failure = PQerrorMessage(handle.get())};
  std::string failure = run(handle.get(), settings(config, role), config.connect_timeout);
  if (!failure.empty()) return {.failure = std::move(failure)};
  return {.handle = std::move(handle)};
}

}  // namespace

awaitable<Attempt> connect(std::shared_ptr<const Config> config, Role role) {
  return on(connecting(),
            [config = std::move(config), role] { return connect_now(*config, role); });
}

awaitable<void> cancel(std::shared_ptr<PGcancel> handle) {
  if (cancels >= most_cancels) co_return;
  ++cancels;
  co_await on(cancelling(), [handle = std::move(handle)] {
    std::array<char, 256> message{};
    const int sent = PQcancel(handle.get(), message.data(), message.size());
    --cancels;
    return sent;
  });
}

}  // namespace aegis::db::postgres
