#pragma once

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <unordered_map>

#include "db/postgres/lane.h"
#include "db/postgres/listening.h"
#include "db/postgres/pool.h"

namespace aegis::db::postgres {

/// What one database has on one I/O context: two lanes and a pool. Used on that context's thread
/// only, hence without locks.
class Core : public std::enable_shared_from_this<Core> {
 public:
  /// Figures for the report; any thread may read them.
  struct Figures {
    std::atomic<std::uint64_t> reads = 0;         ///< on lanes
    std::atomic<std::uint64_t> reads_moved = 0;   ///< too long for a lane, or no read after all
    std::atomic<std::uint64_t> transactions = 0;  ///< committed
    std::atomic<std::size_t> open = 0, idle = 0, held = 0, waiting = 0;
    std::atomic<std::size_t> heard = 0;  ///< channels
  };

  Core(std::shared_ptr<const Config> config, boost::asio::any_io_executor executor);

  const Config& config() const { return *config_; }
  const boost::asio::any_io_executor& executor() const { return executor_; }
  Pool& pool() { return pool_; }
  Figures& figures() { return figures_; }
  /// Without a locked instruction: this thread alone counts.
  void count_read() {
    figures_.reads.store(figures_.reads.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
  }

  /// Whether a lane is connected; otherwise begins to connect one.
  bool has_lane();
  /// The lane that a read best takes now; connects, if need be.
  std::shared_ptr<Connection> try_lane();
  /// Waits for it up to `limit`. Throws Error(unavailable).
  awaitable<std::shared_ptr<Connection>> lane(Milliseconds limit);

  /// Whether the read was found too long for a lane lately.
  bool is_slow(std::string_view sql);
  void remember_slow(std::string_view sql);

  /// From now on the process's notifications come in here.
  void listen(std::shared_ptr<Notifications> notifications);
  /// What is listened to may have changed.
  void channels_changed();

  /// Wakes the regular check, which sleeps while there is neither a connection nor a waiter.
  void expect_ticks();

  bool closed() const { return closed_; }
  /// Ends all work.
  void close();
  /// As the context ends: destroys what is suspended.
  void shut_down();

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  void tick();
  /// Finds out how large the pool may be, where its size is "auto".
  static awaitable<void> measure_share(std::shared_ptr<Core> self);

  std::shared_ptr<const Config> config_;
  boost::asio::any_io_executor executor_;
  std::array<Lane, 2> lanes_;
  Pool pool_;
  std::unique_ptr<Listening> listening_;
  Figures figures_;
  boost::asio::steady_timer timer_;
  std::unordered_map<std::string, int, Hash, std::equal_to<>>
      slow_;  ///< and for how many runs more
  bool ticking_ = false;
  std::atomic<bool> closed_ = false;
};

}  // namespace aegis::db::postgres
