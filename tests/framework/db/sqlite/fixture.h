#pragma once

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "../../../support/temporary_folder.h"
#include "core/run_on.h"
#include "db/sqlite/link.h"

namespace aegis::db::sqlite::test {

namespace asio = boost::asio;

using Folder = TemporaryFolder;
using Settings = std::map<std::string, std::string>;

inline std::string url_of(const std::filesystem::path& file) {
  return "sqlite:///" + file.string();
}

/// Rows as text, NULL as "NULL".
struct Rows final : RowSink {
  void columns(std::span<const std::string_view> list) override {
    names.assign(list.begin(), list.end());
  }
  void row(std::span<const Cell> cells) override {
    std::vector<std::string> texts;
    for (const Cell& cell : cells) {
      texts.push_back(std::visit(
          [](const auto& v) -> std::string {
            using T = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<T, std::monostate>) {
              return "NULL";
            } else if constexpr (std::is_same_v<T, std::string_view>) {
              return std::string(v);
            } else if constexpr (std::is_same_v<T, std::span<const std::byte>>) {
              return std::string(reinterpret_cast<const char*>(v.data()), v.size());
            } else if constexpr (std::is_same_v<T, Timestamp>) {
              return to_string(v);
            } else {
              return std::to_string(v);
            }
          },
          cell));
    }
    rows.push_back(std::move(texts));
  }
  void restart() override {
    rows.clear();
    ++restarts;
  }

  std::string first() const { return rows.empty() ? "nothing" : rows[0][0]; }

  std::vector<std::string> names;
  std::vector<std::vector<std::string>> rows;
  int restarts = 0;
};

inline awaitable<Rows> read(Link& link, std::string_view sql, std::vector<Cell> values = {}) {
  Rows rows;
  const Statement statement{sql, values, false};
  co_await link.run(statement, rows);
  co_return rows;
}
inline awaitable<Outcome> write(Link& link, std::string_view sql, std::vector<Cell> values = {}) {
  Rows rows;
  const Statement statement{sql, values, true};
  co_return co_await link.run(statement, rows);
}

/// Runs a coroutine to its end on an executor of this thread. (Boost.Test is for one thread at a
/// time: what may run on several says what is wrong by exceptions.)
template <class T>
T wait(awaitable<T> work) {
  asio::io_context io{1};
  std::exception_ptr error;
  if constexpr (std::is_void_v<T>) {
    bool done = false;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr e) {
      error = e;
      done = true;
    });
    io.run();
    if (!done) throw std::logic_error("the coroutine did not end");
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<T> result;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr e, T value) {
      error = e;
      if (!e) result.emplace(std::move(value));
    });
    io.run();
    if (error) std::rethrow_exception(error);
    return std::move(result.value());
  }
}

/// The code and text of the Error that `action` ends with.
template <class F>
std::pair<Errc, std::string> error_of(F&& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  throw std::logic_error("no error");
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// The driver's engine on a file of its own.
struct Fixture {
  explicit Fixture(Settings settings = {}, DatabaseOptions options = {})
      : file(folder.path() / "test.db") {
    options.url = url_of(file);
    options.connect_args = std::move(settings);
    engine = std::make_shared<Engine>(read_config(options));
  }
  ~Fixture() {
    if (engine) engine->stop();
  }

  std::unique_ptr<Link> open(const SessionOptions& options = {},
                             const std::atomic<bool>* cancelled = nullptr) {
    return std::make_unique<SqliteLink>(engine, options, cancelled);
  }

  asio::any_io_executor writer() { return engine->writer.executor(); }

  /// Runs a body as Database::session() does: on the writer, committed at its end.
  template <class F>
  awaitable<void> session(F& body) {
    const auto cancellation = std::make_shared<Cancellation>();
    auto work = session_here(body, &cancellation->requested);
    co_await run_on(writer(), std::move(work), cancellation);
  }
  template <class F>
  awaitable<void> session_here(F& body, const std::atomic<bool>* cancelled = nullptr) {
    const auto link = open({}, cancelled);
    co_await body(*link);
    co_await link->commit();
  }

  /// One statement in a session of its own.
  Outcome execute(std::string_view sql, std::vector<Cell> values = {}) {
    Outcome outcome;
    auto body = [&](Link& link) -> awaitable<void> { outcome = co_await write(link, sql, values); };
    wait(session(body));
    return outcome;
  }
  Rows query(std::string_view sql, std::vector<Cell> values = {}) {
    const auto link = open();
    return wait(read(*link, sql, std::move(values)));
  }

  Folder folder;
  std::filesystem::path file;
  std::shared_ptr<Engine> engine;
};

}  // namespace aegis::db::sqlite::test
