#pragma once

#include <utility>

#include "db/sqlite/config.h"
#include "db/sqlite/readers.h"
#include "db/sqlite/writer.h"

namespace aegis::db::sqlite {

/// What the driver and its links share. Links may outlive the driver; then they only fail.
struct Engine {
  explicit Engine(Config given) : config(std::move(given)) {}

  /// On the writer's thread.
  void close() {
    readers.close();
    writer.close();
  }
  void stop() {
    readers.close();
    writer.stop();
  }

  const Config config;
  Writer writer{config};
  Readers readers{config, writer.opening()};
};

}  // namespace aegis::db::sqlite
