#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>

#include "aegis/core/function_ref.h"
#include "db/driver.h"
#include "db/postgres/codec.h"
#include "db/postgres/config.h"
#include "db/postgres/errors.h"
#include "db/postgres/libpq.h"
#include "db/postgres/statement_cache.h"

namespace aegis::db::postgres {

/// How a statement's way through a connection ended.
enum class End : std::uint8_t {
  pending,
  done,
  failed,   ///< by its own fault
  aborted,  ///< not run: one before it in the same batch failed
  stale,    ///< its prepared form was out of date, and is forgotten: nothing was done
  lost,     ///< the connection broke; whether it ran is unknown
  dropped,  ///< nobody waits for it any more
};

class Connection;

/// A statement on its way; lives in the frame of the coroutine that waits for it, and is forgotten
/// by its connection when that frame ends early.
struct Request {
  /// What asio::deferred gives to who waits: cheaper by a coroutine than use_awaitable.
  using Resume =
      boost::asio::detail::awaitable_async_op_handler<void(), boost::asio::any_io_executor>;

  explicit Request(std::string_view text, std::span<const Cell> of = {}, RowSink* to = nullptr)
      : sql(text), values(of), rows(to) {}
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  std::string_view sql;
  std::span<const Cell> values;
  RowSink* rows;
  bool alone = false;  ///< in a batch of its own, so that only its own failure ends it

  End end = End::pending;
  Outcome outcome{};
  bool rolled_back = false;  ///< it was COMMIT, and the server rolled back
  std::size_t answer_bytes = 0;
  std::shared_ptr<const Failure> failure{};  ///< of failed, aborted, stale and lost
  std::exception_ptr thrown{};               ///< by `rows`, or because a value cannot be read
  std::optional<Resume> resume{};
  Connection* sent_on = nullptr;  ///< while its answer is due
};

/// One connection to the server, in libpq's pipeline mode: statements are sent without waiting for
/// the answers to those before, in batches that end with a Sync. When one fails, the server skips
/// the rest of its batch. Used on its executor only. Owned by shared_ptr; close() is its end.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  class Owner {
   public:
    /// Everything that was sent is answered. Told once after each call of tell_when_drained().
    virtual void drained(Connection& connection) = 0;
    /// The connection broke. Those who wait are resumed later.
    virtual void lost(Connection& connection) = 0;
    /// Somebody sent this to a channel that the connection listens to.
    virtual void notified(std::string_view /*channel*/, std::string_view /*payload*/) {}

   protected:
    ~Owner() = default;
  };

  /// `handle` is connected, not yet in pipeline mode. `config` must outlive the connection.
  Connection(Handle handle, const Config& config, boost::asio::any_io_executor executor,
             Owner& owner);
  ~Connection();

  /// From now on its end is noticed; to be called once, before all else.
  void watch();
  /// Puts the statement into the current batch. Throws Error(invalid) for a value that cannot be
  /// sent. The batch leaves at the end of this turn of the event loop, or with flush().
  void send(Request& request);
  /// The same for a statement that nobody waits for; those behind it in the batch depend on it.
  void send(std::string_view sql, std::span<const Cell> values = {});
  /// Sends the batch now.
  void flush();
  /// What to co_await for a request's end, while that is pending. A cancellation ends the wait with
  /// End::dropped; the statement goes on.
  auto answer(Request& request) {
    return boost::asio::async_initiate<const boost::asio::deferred_t, void()>(
        [this, &request](auto&& resume) { await_answer(request, std::move(resume), true); },
        boost::asio::deferred);
  }
  /// As answer(), not to be cancelled.
  auto answer_surely(Request& request) {
    return boost::asio::async_initiate<const boost::asio::deferred_t, void()>(
        [this, &request](auto&& resume) { await_answer(request, std::move(resume), false); },
        boost::asio::deferred);
  }
  /// Nobody waits for the request any more.
  void forget(Request& request);

  /// Runs COPY … FROM STDIN: `next` puts the next part into its argument and answers whether there
  /// is one. Waits for what is on its way. Throws Failure; what `next` throws ends the COPY too.
  awaitable<void> copy_in(const std::string& sql,
                          FunctionRef<awaitable<bool>(std::string& part)> next);
  /// Runs COPY … TO STDOUT: `take` gets whole lines, and nothing more is received meanwhile. What
  /// it throws leaves the connection good for nothing.
  awaitable<void> copy_out(const std::string& sql,
                           FunctionRef<awaitable<void>(std::string_view lines)> take);

  /// Whether a COPY has begun that has not ended.
  bool copying() const { return copying_; }
  /// Ends the COPY of a coroutine that is gone; what is on its way is dropped. Throws Failure.
  awaitable<void> abandon_copy();

  bool alive() const { return handle_ != nullptr; }
  std::size_t pending() const { return pending_.size(); }
  /// The batch that is put together is the only one: nothing was sent that is not answered.
  bool ready_to_send() const { return pending_.size() == unsynced_; }
  /// What is sent now is the first of its batch.
  bool begins_batch() const { return unsynced_ == 0; }
  /// Nothing waits to be answered.
  bool drained() const { return pending_.empty(); }
  /// Something is due from the server.
  bool expects_answer() const { return !pending_.empty() || (copying_ && !resting_); }
  void tell_when_drained();
  PGTransactionStatusType transaction_status() const {
    return handle_ ? PQtransactionStatus(handle_.get()) : PQTRANS_UNKNOWN;
  }
  /// What asks the server to end the current statement; PQcancel() blocks.
  Cancel cancel_handle() const { return Cancel(PQgetCancel(handle_.get())); }
  /// Grows with everything that comes from the server.
  std::uint64_t progress() const { return progress_; }

  /// Those who wait are told `failure`.
  void lose(const Failure& failure);
  /// Ends it; those who wait are told that the database is closed.
  void close();
  /// Ends it when its context ends: destroys those who wait.
  void shut_down();

  // Kept for the connection's owner.
  Clock::time_point connected_at = Clock::now();
  Clock::time_point idle_since = Clock::now();
  Milliseconds lifetime{};
  bool listens = false;    ///< its owner wants to be notified()
  bool savepoint = false;  ///< a session's, where all share one transaction
  std::uint64_t progress_seen = 0;
  int silent_ticks = 0;
  struct Holder {
    std::source_location where{};
    std::string_view origin{};
    Clock::time_point since{};
    bool limits_time = false;  ///< by itself, so that the pool does not
  } holder;

 private:
  enum class Kind : std::uint8_t { prepare, execute, discard, sync };
  /// Something sent that the server will answer.
  struct Entry {
    Kind kind;
    bool reused = false;  ///< prepared by an earlier statement
    Request* request = nullptr;
    std::uint64_t statement = 0;
    Clock::time_point sent{};  ///< for the log only
  };

  void append(std::string_view sql, std::span<const Cell> values, Request* request);
  void sync();
  void push_out();
  void await_answer(Request& request, Request::Resume resume, bool cancellable);
  void drop(Request& request);
  void close_descriptor();
  void await_readable();
  void receive();
  void take(Result result);
  void take_failure(Entry& entry, const PGresult* result);
  void take_rows(Entry& entry, const PGresult* result);
  void finish(const Entry& entry);
  void end(Request& request, End how);
  void log_statement(const Entry& entry, PGresult* result) const;
  void take_notifications();
  void resume_ended();
  awaitable<Result> begin_copy(const std::string& sql);
  awaitable<void> end_copy(Result result, const std::string& sql);
  void leave_copy();
  awaitable<void> put_copied(std::string_view part);
  awaitable<void> discard_copied();
  void go_on_receiving();
  awaitable<void> copy_event();
  awaitable<Result> copy_result();
  void signal_copy();

  const Config& config_;
  Handle handle_;
  boost::asio::posix::stream_descriptor descriptor_;
  Owner* owner_;
  StatementCache cache_;
  Parameters parameters_;
  Decoder decoder_;
  std::deque<Entry> pending_;
  std::size_t unsynced_ = 0;  ///< entries of the current batch
  std::vector<Request::Resume> ended_;
  std::shared_ptr<const Failure> batch_failure_;  ///< what aborts the rest of a batch
  End front_end_ = End::pending;                  ///< what the front entry's results said so far
  std::uint64_t progress_ = 0;
  bool batch_stale_ = false;  ///< it failed because something prepared was out of date
  bool copying_ = false, copy_cancelled_ = false;
  bool resting_ = false, readable_ = false;  ///< nothing is received; though something has come
  std::optional<Request::Resume> copy_waiter_{};  ///< for something to come or to be sent
  bool flush_posted_ = false, writing_ = false, receiving_ = false, tell_drained_ = false;
};

}  // namespace aegis::db::postgres
