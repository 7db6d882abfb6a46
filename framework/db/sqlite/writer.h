#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <thread>

#include "aegis/core/function_ref.h"
#include "db/sqlite/connection.h"

namespace aegis::db::sqlite {

/// One session's part in the writer's work; belongs to the session's link, used on the writer's
/// thread only.
struct Transaction {
  enum class State : std::uint8_t {
    idle,
    active,  ///< holds the turn
    ended,   ///< rolled back before its session's end, see `reason`
  };

  std::source_location where{};  ///< the session's beginning
  std::string origin{};          ///< a better name for it, if not empty
  bool may_take_long = false;    ///< has no deadline
  bool alone = false;            ///< one read between two turns, outside SQLite's transaction
  State state = State::idle;
  bool savepoint = false;  ///< shares its group with earlier sessions
  int nested = 0;          ///< savepoints of its own that are open: a failure undoes but these
  std::chrono::steady_clock::time_point since{}, deadline{};  ///< of its turn
  std::optional<Error> reason{};

  /// What the log calls it.
  std::string title() const;
};

/// The one thread that writes, and an executor: sessions that write live on it, so that each of
/// their statements completes without a hop.
///
/// Sessions take turns, first come first served. Those that follow each other without a pause form
/// a group: one SQLite transaction with a savepoint for each, acknowledged after the one COMMIT.
class Writer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Figures for the report; any thread may read them.
  struct Figures {
    std::atomic<std::uint64_t> groups = 0;    ///< COMMITs
    std::atomic<std::uint64_t> sessions = 0;  ///< acknowledged by them
    std::atomic<std::uint64_t> rollbacks = 0;
    std::atomic<std::uint64_t> expired = 0;  ///< held the turn for too long
    std::atomic<std::size_t> waiting = 0;
  };

  explicit Writer(const Config& config);
  ~Writer();

  boost::asio::any_io_executor executor() { return context_.get_executor(); }
  bool here() { return context_.get_executor().running_in_this_thread(); }
  const Figures& figures() const { return figures_; }
  bool stopped() const { return stopped_; }
  /// Grows with each opening of the file: a connection of an earlier one is out of date.
  /// 0 while it is not open.
  const std::atomic<std::uint64_t>& opening() const { return opening_; }
  /// Whether the connection can write, whatever has become of the file's permissions.
  bool can_write() const { return opening_ != 0 && can_write_; }
  /// Whether SQLite's transaction is open, which locks the file.
  bool in_transaction() const { return group_open_; }
  /// Looks now and then whether the file that is open was deleted or replaced. Any thread.
  bool file_was_replaced(Time now);
  /// Rolls back what a link left behind. Any thread; does not wait.
  void abandon(std::unique_ptr<Transaction> transaction);
  /// Ends the statement that runs; work that begins from now on fails. Any thread, at once.
  void interrupt() { closing_ = true; }
  bool interrupted() const { return closing_; }
  /// Closes, ends the thread and destroys what is still suspended on its executor. Any thread but
  /// the writer's; more than once, and several at a time.
  void stop();

  // From here on: on the writer's thread only.

  /// Opens the file unless it is open, and again when it was replaced. Throws Error.
  void open();

  /// Whether this SQL changes nothing, so that it may run outside a transaction. Throws Error.
  bool is_read(std::string_view sql);

  /// Takes the turn and begins the transaction. Waits while others hold it, or another process
  /// holds the file. Cancelled: throws system_error(operation_aborted).
  awaitable<void> begin(Transaction& transaction);
  /// Begins at once where nobody needs to be waited for; otherwise answers false.
  bool try_begin(Transaction& transaction);

  /// Runs a statement of the transaction. An error rolls the transaction back, unless it has a
  /// savepoint of its own. It is ended early when `cancelled` (if not null) turns true: then throws
  /// system_error(operation_aborted); and at the turn's deadline: then throws Error(timeout).
  Outcome run(Transaction& transaction, const Statement& statement, RowSink& rows,
              const std::atomic<bool>* cancelled);
  /// Passes the turn on and waits until the group is durable; a cancellation does not shorten it.
  awaitable<void> commit(Transaction& transaction);
  /// Runs SAVEPOINT, RELEASE or ROLLBACK TO; `open` savepoints are open then.
  void mark(Transaction& transaction, std::string_view sql, int open);
  /// Undoes the transaction, which may then begin anew.
  void rollback(Transaction& transaction) noexcept;

  /// Runs `read` between two turns, where there is but one connection; ended early as by run().
  awaitable<void> run_alone(FunctionRef<void(Connection&)> read,
                            const std::atomic<bool>* cancelled);

  /// Commits what was promised, rolls back what was not; later work fails.
  void close() noexcept;

 private:
  using Resume = boost::asio::async_result<boost::asio::use_awaitable_t<>,
                                           void(std::exception_ptr)>::handler_type;

  /// A suspended coroutine; lives in its frame.
  struct Waiter : boost::intrusive::list_base_hook<
                      boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    explicit Waiter(Transaction& of) : transaction(&of) {}
    Transaction* transaction;
    Time since{};
    std::optional<Resume> resume{};
  };
  using Waiters = boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>>;

  struct Context : boost::asio::io_context {
    Context() : io_context(1) {}  // one thread runs it, others only post
    using execution_context::shutdown;
  };

  /// Device and inode in one number; 0: there is no such file.
  std::uint64_t file_identity() const;
  bool needs_opening_anew() const;
  bool file_may_be_written() const;
  void open_file();

  /// What ends a statement before its time.
  enum class End : std::uint8_t { none, closing, cancelled, late };
  struct Running {
    const Transaction& transaction;
    const std::atomic<bool>* cancelled;
  };
  End early_end() const;
  void run_interruptibly(const Running& running, FunctionRef<void()> statement);
  Error late_error(const Transaction& transaction);

  void wake(Waiter& waiter, const std::exception_ptr& error);
  void wake_all(Waiters& waiters, const std::exception_ptr& error);
  awaitable<void> wait_for_turn(Waiter& waiter);

  bool begin_group();
  void start(Transaction& transaction);
  void undo(Transaction& transaction) noexcept;
  void end_early(Transaction& transaction, Error reason) noexcept;
  void check_active(const Transaction& transaction) const;
  void end_turn(Transaction& transaction);
  void give_turns();
  void retry_later();
  void commit_group() noexcept;
  void lose_group(std::string_view reason);
  void expect_tick();
  void tick();
  void watch_holder();

  const Config& config_;
  std::atomic<bool> closing_ = false, stopped_ = false;
  std::mutex stopping_;
  std::mutex abandoning_;
  bool ended_ = false;  ///< under abandoning_
  Figures figures_;
  std::atomic<std::uint64_t> opening_ = 0;
  Context context_;
  boost::asio::steady_timer retry_timer_{context_}, deadline_timer_{context_};

  std::optional<Connection> connection_;
  const Running* running_ = nullptr;  ///< a session's statement; the driver's own are not ended
  std::atomic<std::uint64_t> identity_ = 0;
  std::atomic<Time> next_look_{Time{}};
  std::atomic<bool> can_write_ = false;
  std::uint64_t openings_ = 0;
  bool suspect_ = false;  ///< the file failed: open it anew

  Transaction* holder_ = nullptr;  ///< whose turn it is
  Waiters waiting_;                ///< for the turn
  Milliseconds retry_delay_{};
  std::atomic<bool> group_open_ = false;  ///< SQLite's transaction is
  Time group_since_{};
  std::size_t group_size_ = 0;  ///< turns given in it
  Waiters promised_;            ///< acknowledged when the group is durable
  std::size_t promised_count_ = 0;
  bool tick_expected_ = false, deadline_armed_ = false, retry_armed_ = false;

  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace aegis::db::sqlite
