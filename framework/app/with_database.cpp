#include "app/with_database.h"

#include <exception>

namespace aegis::commands {

void with_database(const DatabaseOptions& options, const Work& work) {
  Runtime runtime({.threads = 1});
  Database database(runtime, options);
  std::exception_ptr failure;
  auto run = [&]() -> awaitable<void> {
    try {
      co_await work(runtime, database);
    } catch (...) {
      failure = std::current_exception();
    }
    co_await database.close();
    runtime.stop();
  };
  runtime.on_stop("database", [&] { return database.close(); });
  runtime.spawn(0, run(), "command");
  runtime.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace aegis::commands
