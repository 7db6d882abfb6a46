#pragma once

#include <utility>

#include "db/sqlite/config.h"
#include "db/sqlite/readers.h"
#include "db/sqlite/writer.h"

namespace aegis::db::sqlite {

/// What the driver and its links share. Links may outlive the driver; then they only fail.
struct Engine {
  explicit Engine(Config given) : config(std::move(given)) {}

  /// Ends the statements that run; work that begins from now on fails. Any thread, at once.
  void interrupt() {
    writer.interrupt();
    readers.interrupt();
  }
  /// On the writer's thread; more than once.
  void close() {
    interrupt();
    readers.close();
    writer.close();
  }
  /// Ends all threads. On any other thread; more than once, and several at a time.
  void stop() {
    interrupt();
    readers.close();
    writer.stop();
  }

  const Config config;
  Writer writer{config};
  Readers readers{config, writer.opening()};
};

}  // namespace aegis::db::sqlite
