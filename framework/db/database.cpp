#include "aegis/db/database.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

#include "aegis/core/error.h"
#include "core/run_on.h"
#include "db/row_reader.h"
#include "db/schema.h"

namespace aegis {
namespace {

awaitable<void> run_once(db::Driver& driver, SessionOptions options,
                         FunctionRef<awaitable<void>(Session&)> body,
                         const std::atomic<bool>* cancelled) {
  auto opened = driver.open(options, cancelled);
  const db::Link& link = *opened;
  Session session(std::move(opened), driver, options);
  try {
    co_await body(session);
    co_await session.commit();  // otherwise the session's end rolls it back
  } catch (const Error& error) {
    if (error.code() != Errc::try_again || !link.has_stored) throw;
    throw Error(Errc::unavailable,
                fmt::format("{} (It was not: what the session had committed before is stored, and "
                            "would be done twice.)",
                            error.what()));
  }
}

/// So that two that lost against each other do not meet again. Longer from time to time.
awaitable<void> pause_after(int attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const std::chrono::microseconds longest = std::chrono::milliseconds(5) * (1 << attempt);
  const std::chrono::microseconds pause(random() % static_cast<unsigned>(longest.count()));
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, pause);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

awaitable<void> run_here(db::Driver& driver, SessionOptions options,
                         FunctionRef<awaitable<void>(Session&)> body,
                         const std::atomic<bool>* cancelled) {
  for (int attempt = 1; attempt < options.attempts; ++attempt) {
    try {
      co_return co_await run_once(driver, options, body, cancelled);
    } catch (const Error& error) {
      if (error.code() != Errc::try_again) throw;
    }
    co_await pause_after(attempt);
  }
  co_await run_once(driver, options, body, cancelled);
}

}  // namespace

Database::Database(Runtime& runtime, DatabaseOptions options)
    : options_(std::move(options)), driver_(db::make_driver(runtime, options_)) {}

Database::~Database() = default;

Session Database::begin(std::source_location where) {
  const SessionOptions options{.where = where};
  return Session(driver_->open(options, nullptr), *driver_, options);
}

awaitable<void> Database::run_session(SessionOptions options,
                                      FunctionRef<awaitable<void>(Session&)> body) {
  if (!options.read_only && !options.in_place) {
    const auto elsewhere = driver_->write_executor();
    if (elsewhere && *elsewhere != co_await boost::asio::this_coro::executor) {
      const auto cancellation = std::make_shared<Cancellation>();
      auto work = run_here(*driver_, options, body, &cancellation->requested);
      co_return co_await run_on(*elsewhere, std::move(work), cancellation);
    }
  }
  co_await run_here(*driver_, options, body, nullptr);
}

awaitable<void> Database::create_all(std::vector<const Table*> tables) {
  std::vector<std::string> statements;
  for (const Table* table : db::creation_order(tables)) {
    for (auto& sql : driver_->dialect().create(*table, true)) statements.push_back(std::move(sql));
  }
  auto body = [&](Session& session) -> awaitable<void> {
    db::NoRows none;
    for (const auto& sql : statements) co_await session.run({sql, {}, true}, none);
  };
  co_await run_session({.may_take_long = true, .origin = "create_all"}, body);
}

std::string Database::schema(const std::vector<const Table*>& tables) const {
  std::string text;
  for (const Table* table : db::creation_order(tables)) {
    if (!text.empty()) text += '\n';
    for (const auto& sql : driver_->dialect().create(*table, false)) text += sql + ";\n";
  }
  return text;
}

Listener Database::listen(std::vector<std::string> channels) {
  return Listener(driver_->notifications()->open(std::move(channels)));
}

awaitable<DatabaseReport> Database::inspect() {
  return driver_->inspect();
}

awaitable<void> Database::close() {
  return driver_->close();
}

}  // namespace aegis
