#pragma once

#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "aegis/http/server.h"
#include "http/parser.h"
#include "http/request_id.h"

namespace aegis::http {

namespace asio = boost::asio;

// With the context's own executor type an I/O object needs no type-erased one.
using CoreExecutor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, CoreExecutor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, CoreExecutor>;

/// A count that one thread changes and any may read.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.store(get() + n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n = 1) noexcept { add(-n); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Time as connections count it: sweeps of their core. Costs nothing to read, and stands still
/// while the thread is busy, so that a request is not timed out for having waited for others.
using Tick = std::uint64_t;
inline constexpr Tick never = ~Tick{0};

/// What a core does to each of its connections. Leaves its list when it is destroyed.
class Swept : public boost::intrusive::list_base_hook<
                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void sweep() = 0;        ///< looks after deadlines; once per tick
  virtual void begin_drain() = 0;  ///< to end after what is in flight, or soon
  virtual void stop() = 0;         ///< to end now

 protected:
  ~Swept() = default;
};

/// What the connections of one core share. All of it is used on that core's thread only, but for
/// the counters.
class ServerCore : public std::enable_shared_from_this<ServerCore> {
 public:
  static constexpr std::chrono::milliseconds sweep_interval{100};

  ServerCore(asio::io_context& context, const ServerOptions& options, std::size_t max_in_flight,
             const HttpHandler& handler, const Services& services);

  void add(Swept& connection);
  /// To be called when a connection has left the list.
  void removed();

  /// From now on replies say Connection: close.
  void begin_leaving() noexcept { leaving_ = true; }
  /// So they do, and what is idle ends. Completes when the last connection is gone.
  awaitable<void> drain();
  void begin_drain();
  void stop();

  /// The first tick at which `timeout` has passed for certain.
  Tick after(std::chrono::milliseconds timeout) const noexcept {
    return tick_ + 1 +
           static_cast<Tick>((timeout + sweep_interval - std::chrono::milliseconds(1)) /
                             sweep_interval);
  }
  Tick tick() const noexcept { return tick_; }
  std::string_view date_line() const noexcept { return date_line_; }
  bool leaving() const noexcept { return leaving_ || draining_; }
  bool draining() const noexcept { return draining_; }

  /// Warns, at most once per second.
  void log_overload(std::string_view message);

  asio::io_context& context;
  const ServerOptions options;
  const RequestLimits limits;
  const std::size_t max_in_flight;
  const HttpHandler& handler;
  const Services& services;
  RequestIds request_ids;

  // Counted from the acceptor on.
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> turned_away{0};  ///< connections that are only told so
  Counter requests, in_flight, server_errors, timeouts;

 private:
  void keep_sweeping();
  void sweep();

  boost::intrusive::list<Swept, boost::intrusive::constant_time_size<false>> connections_;
  Timer sweep_timer_;
  Timer empty_;  // cancelled when the last connection has gone
  bool sweeping_ = false;
  bool leaving_ = false;
  bool draining_ = false;
  Tick tick_ = 0;
  Tick next_overload_log_ = 0;
  std::chrono::sys_seconds date_{};
  std::string date_line_;
};

}  // namespace aegis::http
