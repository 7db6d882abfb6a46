#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "aegis/db/database.h"

namespace aegis::db::sqlite {

using Milliseconds = std::chrono::milliseconds;

/// What the URL and the connect args say, checked and complete.
struct Config {
  std::string url;             ///< as given: an SQLite URL holds no password
  std::filesystem::path file;  ///< absolute; empty: in memory
  /// The file's folder is made when it is missing: it was named relative to the working directory.
  bool make_folder = false;

  // Pragmas.
  bool foreign_keys = true;
  std::string synchronous = "NORMAL";
  std::string journal_mode = "WAL";
  std::int64_t cache_size = -2000;  ///< pages, or KiB when negative
  std::int64_t mmap_size = 0;       ///< bytes

  Milliseconds busy_timeout{5000};        ///< how long another process's lock is waited for
  Milliseconds write_turn_timeout{5000};  ///< how long a session may hold up the other writers
  std::int64_t readers = 2;               ///< reader threads
  std::int64_t inline_opcodes = 20'000;   ///< longer reads go to a reader thread
  std::int64_t statement_cache = 128;     ///< prepared statements a connection keeps

  bool echo = false;
  Milliseconds slow_transaction{1000};
  bool rolled_back = false;

  bool in_memory() const { return file.empty(); }
  /// Everything runs on the writer's connection, because no other sees the same database.
  bool single_connection() const { return in_memory() || rolled_back; }
};

/// sqlite:///relative/path, sqlite:////absolute/path, sqlite://:memory: or sqlite://.
/// Throws Error(invalid) that says what is wrong; opens nothing.
Config read_config(const DatabaseOptions& options);

}  // namespace aegis::db::sqlite
