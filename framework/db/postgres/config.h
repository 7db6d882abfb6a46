#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aegis/db/database.h"

namespace aegis::db::postgres {

using Milliseconds = std::chrono::milliseconds;

/// pool_size "auto": what a process may have of its server's connections, measured now and then.
struct PoolShare {
  std::atomic<std::int64_t> size = 10;
  std::atomic<std::chrono::steady_clock::time_point> next{};  ///< to be measured
  std::atomic<std::size_t> threads = 0;  ///< that use the database: I/O threads, and a worker's own
};

/// What the process may have: `room` connections less a tenth, and less those of `others`, shared
/// by all `instances` with this setting; less what the process needs beside its pool. `threads` are
/// its cores and those that have as many connections as a core in addition.
std::int64_t pool_share(std::int64_t room, std::int64_t others, std::int64_t instances,
                        std::size_t cores, std::size_t threads);

/// What the URL and the connect args say, checked and complete.
struct Config {
  std::string url;  ///< without its password
  /// libpq's keywords and their values, the password among them.
  std::vector<std::pair<std::string, std::string>> keywords{};

  std::int64_t pool_size = 10;            ///< connections for transactions, of the whole process
  std::shared_ptr<PoolShare> share{};     ///< in its place, when it is "auto"
  std::int64_t pool_waiters = 1000;       ///< sessions that wait for one at most, on each core
  Milliseconds pool_timeout{5000};        ///< how long a session waits for one
  Milliseconds connect_timeout{5000};     ///< for each address; libpq counts in seconds, 2 at least
  Milliseconds statement_timeout{30000};  ///< the server ends longer statements; 0: none
  Milliseconds lane_timeout{1000};  ///< a longer read leaves the lane for a connection of its own
  Milliseconds max_lifetime{30 * 60 * 1000};  ///< a connection's, give or take a tenth; 0: no end
  Milliseconds idle_timeout{10 * 60 * 1000};  ///< an unused one is closed after that; 0: never
  std::int64_t statement_cache = 256;         ///< prepared statements a connection keeps; 0: none
  Milliseconds replica_lag_warning{10'000};   ///< a replica that is further behind is reported

  /// Behind a pooler that gives each transaction another connection to the server: nothing is kept
  /// in a connection, neither statements nor settings nor LISTEN.
  bool transaction_pooling = false;

  /// The server's compiler takes longer than the statements of a service run. Unless the URL's
  /// options name jit.
  bool jit_off = true;

  bool echo = false;
  Milliseconds slow_transaction{1000};
  bool rolled_back = false;
  bool replica = false;  ///< what it cannot do at once, the primary does

  std::size_t cores = 1;
  /// pool_size, or what it is at the moment.
  std::int64_t pool_size_now() const { return share ? share->size.load() : pool_size; }
  /// How many of them each core has.
  std::size_t pool_size_per_core() const;
};

/// postgresql://user:password@host:port/database?keyword=value, as libpq reads it, for a process
/// of `cores` I/O threads. Throws Error(invalid) that says what is wrong, without the password;
/// connects to nothing.
Config read_config(const DatabaseOptions& options, std::size_t cores = 1);

}  // namespace aegis::db::postgres
