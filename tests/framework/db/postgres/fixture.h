#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "aegis/core/error.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "db/postgres/link.h"
#include "support/postgres_server.h"

namespace aegis::db::postgres::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

using Settings = std::map<std::string, std::string>;

/// A database of its own on the test program's server, and a Database on it.
struct Fixture {
  explicit Fixture(Settings settings = {}, PostgresServer& of = PostgresServer::shared())
      : server(of), name(server.create_database()), url(server.url(name)) {
    open(std::move(settings));
  }
  ~Fixture() {
    wait(database->close());
    database.reset();
    server.drop_database(name);
  }

  void open(Settings settings) {
    if (database) wait(database->close());
    database = std::make_unique<Database>(
        runtime, DatabaseOptions{.url = url, .connect_args = std::move(settings)});
  }

  /// Runs a coroutine to its end on this thread, with all that others do meanwhile.
  template <class T>
  T wait(awaitable<T> work) {
    std::exception_ptr error;
    io.restart();
    if constexpr (std::is_void_v<T>) {
      asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& e) {
        error = e;
        io.stop();
      });
      io.run();
      if (error) std::rethrow_exception(error);
    } else {
      std::optional<T> result;
      asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& e, T value) {
        error = e;
        if (!e) result.emplace(std::move(value));
        io.stop();
      });
      io.run();
      if (error) std::rethrow_exception(error);
      return std::move(result.value());
    }
  }

  /// On a connection of its own, without Aegis.
  std::string execute(const std::string& sql) { return server.execute(sql, name); }

  PostgresServer& server;
  std::string name, url;
  asio::io_context io{1};
  Runtime runtime{{.threads = 1, .handle_signals = false}};
  std::unique_ptr<Database> database;
};

/// The code and text of the Error that `work` ends with.
inline awaitable<std::pair<Errc, std::string>> error_of(awaitable<void> work) {
  try {
    co_await std::move(work);
  } catch (const Error& error) {
    co_return std::pair(error.code(), std::string(error.what()));
  }
  throw std::logic_error("no error");
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

template <class T>
awaitable<T> one(Database& database, std::string sql) {
  std::vector<T> rows;
  auto body = [&](Session& s) -> awaitable<void> { rows = co_await s.query<T>(sql); };
  co_await database.run_session({.read_only = true}, body);
  co_return rows.at(0);
}
inline awaitable<void> execute(Database& database, std::string sql) {
  auto body = [&](Session& s) -> awaitable<void> { co_await s.execute(sql); };
  co_await database.run_session({}, body);
}

}  // namespace aegis::db::postgres::test
