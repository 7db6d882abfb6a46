#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "aegis/core/function_ref.h"
#include "db/sqlite/connection.h"

namespace aegis::db::sqlite {

/// Reads outside transactions. Each sees the newest committed rows.
///
/// A point read takes a few microseconds, a hop to another thread and back some tens: so a read is
/// first tried where it is asked for, on a connection that belongs to that thread (a guest), up to
/// a number of opcodes. One that turns out longer starts over on a reader thread, and its statement
/// goes there at once for a while.
class Readers {
 public:
  /// Figures for the report; any thread may read them.
  struct Figures {
    std::atomic<std::uint64_t> here = 0;    ///< done on the caller's thread
    std::atomic<std::uint64_t> moved = 0;   ///< begun there, too long
    std::atomic<std::uint64_t> hopped = 0;  ///< done on a reader thread
    std::atomic<std::size_t> waiting = 0;   ///< for a reader thread
  };
  enum class Attempt { done, elsewhere, is_write };

  /// `opening` tells which opening of the file is the current one.
  Readers(const Config& config, const std::atomic<std::uint64_t>& opening);
  ~Readers();

  /// Runs a read on the calling thread if it is short.
  Attempt try_here(const Statement& statement, RowSink& rows, Outcome& outcome,
                   std::chrono::steady_clock::time_point now);

  /// Runs `work` on a reader thread and resumes the caller on its own executor. A cancellation
  /// interrupts it; the caller resumes when it has ended. Throws what `work` throws.
  awaitable<void> on_reader(FunctionRef<void(Connection&)> work);

  /// Ends what runs; later work fails. Any thread, at once.
  void interrupt();
  /// Interrupts, ends the threads and closes all connections. Any thread but a reader; more than
  /// once, and several at a time.
  void close();

  const Figures& figures() const { return figures_; }
  /// The statements last found too long for the caller's thread.
  std::vector<std::string> slow_statements() const;

 private:
  using Resume = boost::asio::async_result<boost::asio::use_awaitable_t<>,
                                           void(std::exception_ptr)>::handler_type;

  /// In the frame of the coroutine that waits for it.
  struct Job {
    FunctionRef<void(Connection&)> work;
    std::atomic<bool> cancelled = false;
    std::optional<Resume> resume{};
    boost::asio::any_io_executor executor{};  ///< keeps the caller's context running
  };
  struct Guest;

  Guest& guest();
  void start_threads();
  void serve();
  void finish(Job& job, std::exception_ptr error);
  void remember_slow(std::string_view sql);

  const Config& config_;
  const std::atomic<std::uint64_t>& opening_;
  const std::uint64_t identity_;  ///< of this object, for the threads' own pointers to guests
  Figures figures_;

  std::mutex guests_mutex_;
  std::map<std::thread::id, std::unique_ptr<Guest>> guests_;

  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Job*> queue_;
  std::deque<std::string> slow_;
  std::atomic<bool> closed_ = false;
  std::vector<std::thread> threads_;  ///< started with the first job; no more once closed
  std::once_flag joined_;
};

}  // namespace aegis::db::sqlite
