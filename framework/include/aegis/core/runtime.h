#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "aegis/core/awaitable.h"

namespace boost::asio {
class io_context;
}

namespace aegis {

struct RuntimeOptions {
  /// Threads that run coroutines; 0: available_cores().
  std::size_t threads = 0;
  /// For how long drain hooks may wait before they begin, e.g. Server::drain().
  std::chrono::milliseconds shutdown_delay{0};
  /// How long a shutdown may take after that before what still runs is abandoned.
  std::chrono::milliseconds shutdown_timeout = std::chrono::seconds(10);
  /// SIGTERM and SIGINT begin a shutdown; a second one ends the process at once.
  bool handle_signals = true;
};

/// The cores this process may use: its CPU affinity and its cgroup's quota, rounded up.
std::size_t available_cores();

/// One I/O context and one thread per core. A coroutine stays on the core it was spawned on, and
/// whatever lives on a core needs no lock against others there.
///
/// A shutdown (a signal, or shutdown()) goes through these stages:
///   1. draining() turns true;
///   2. the on_drain() hooks run, all at once: stop taking in, finish what is in flight;
///   3. the on_stop() hooks run, last registered first: close what others needed until now;
///   4. threads that use coroutines' memory end (before_destruction());
///   5. coroutines that are still suspended are destroyed, and run() returns.
/// Hooks that outlast the limit are abandoned and named in the log.
///
/// Ignores SIGPIPE for the whole process: a peer that goes away is an error code, not the end.
class Runtime {
 public:
  using Hook = std::function<awaitable<void>()>;

  explicit Runtime(RuntimeOptions options = {});
  /// Stops, joins, and then destroys coroutines that are still suspended, on the calling thread.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  std::size_t size() const noexcept;
  boost::asio::any_io_executor executor(std::size_t core) const;
  boost::asio::io_context& context(std::size_t core) const;

  /// Starts a coroutine on a core, from any thread. An exception that escapes it is logged with
  /// `name`, and ends nothing else.
  void spawn(std::size_t core, awaitable<void> task, std::string name = "task");

  /// Registers a stage of the shutdown; `name` is for the log. Hooks run on core 0 and stay alive
  /// until the runtime is destroyed. Call before run().
  void on_drain(std::string name, Hook hook);
  void on_stop(std::string name, Hook hook);

  /// Registers what ends threads that are not the runtime's but may use what lives in coroutines.
  /// It is called when no core runs any more, before coroutines that are still suspended are
  /// destroyed, and maybe again; it may block. Any thread.
  void before_destruction(std::function<void()> end_threads);

  /// Serves core 0 on the calling thread and the others on threads of their own, until stopped.
  /// Returns the exit code that was given to shutdown(); 0 after a signal. Call once.
  int run();

  /// Begins the shutdown, from any thread. Once is enough; later calls do nothing.
  void shutdown(int exit_code = 0);
  /// Ends run() at once, without the stages, from any thread.
  void stop() noexcept;

  /// Whether the shutdown has begun. Any thread; /readyz answers 503 from then on.
  bool draining() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aegis
