#pragma once

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <vector>

#include "../../support/temporary_folder.h"
#include "../core/run.h"
#include "aegis/core/error.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "database_test.h"
#include "models.h"

/// The conformance suite's ground: each case runs on every kind of database there is, with the
/// tables of models.h, empty.

using aegis::awaitable, aegis::Database, aegis::Session, aegis::Errc, aegis::Error;

/// "sqlite in memory", "sqlite file", "postgresql".
std::vector<std::string> databases();

class OnDatabase {
 public:
  explicit OnDatabase(const std::string& kind);
  ~OnDatabase();

  /// Runs `task` to its end and throws what it throws.
  void wait(awaitable<void> task) { run(io_, std::move(task)); }

  Database& database() { return *database_; }

  bool is_postgresql() const { return !server_database_.empty(); }

  /// Whether a read sees the file while another session writes to it.
  bool has_concurrent_readers() const { return concurrent_readers_; }

 private:
  std::optional<TemporaryFolder> folder_{};
  boost::asio::io_context io_{1};
  aegis::Runtime runtime_{{.threads = 1, .handle_signals = false}};
  std::string server_database_{};
  bool concurrent_readers_ = false;
  std::unique_ptr<Database> database_;
};
