#include "db/sqlite/writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "aegis/core/log.h"

namespace aegis::db::sqlite {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t group_limit = 256;
constexpr Milliseconds group_time_limit{5};
constexpr Milliseconds look_interval{100};
constexpr Milliseconds longest_retry_delay{50};

}  // namespace

std::string Transaction::title() const {
  if (!origin.empty()) return origin;
  return fmt::format("{}:{}", where.file_name(), where.line());
}

Writer::Writer(const Config& config)
    : config_(config), work_(context_.get_executor()), thread_([this] {
        ::pthread_setname_np(::pthread_self(), "sqlite-writer");
        for (;;) {
          try {
            context_.run();
            return;
          } catch (const std::exception& error) {
            log::error("an exception escaped on the database's writer", "error", error.what());
          }
        }
      }) {}

Writer::~Writer() {
  stop();
}

void Writer::stop() {
  const std::lock_guard lock(stopping_);
  interrupt();
  if (!stopped_.exchange(true)) {
    asio::post(context_, [this] {
      close();
      asio::post(context_, [this] { context_.stop(); });  // behind the resumptions by close()
    });
    thread_.join();
    const std::lock_guard last(abandoning_);
    ended_ = true;
  }
  context_.shutdown();  // while which nobody may post
}

void Writer::abandon(std::unique_ptr<Transaction> transaction) {
  if (here()) return rollback(*transaction);
  const std::lock_guard lock(abandoning_);
  if (ended_) return;  // all is rolled back
  asio::post(context_, [this, transaction = std::move(transaction)] { rollback(*transaction); });
}

// Opening.

std::uint64_t Writer::file_identity() const {
  struct stat facts{};
  if (::stat(config_.file.c_str(), &facts) != 0) return 0;
  return facts.st_ino ^ (facts.st_dev << 48);
}

bool Writer::file_was_replaced(Time now) {
  if (now < next_look_.load(std::memory_order_relaxed)) return false;
  next_look_ = now + look_interval;
  return file_identity() != identity_;
}

void Writer::open() {
  if (closing_) throw closed_error();
  if (connection_) {
    if (group_open_ || holder_ || config_.single_connection()) return;
    if (!needs_opening_anew()) return;
    log::warn("the database file has changed or failed: opening it anew", "file",
              config_.file.string());
    opening_ = 0;
    connection_.reset();
  }
  open_file();
}

bool Writer::needs_opening_anew() const {
  if (suspect_ || file_identity() != identity_) return true;
  return !can_write_ && file_may_be_written();
}

bool Writer::file_may_be_written() const {
  return ::faccessat(AT_FDCWD, config_.file.c_str(), W_OK, AT_EACCESS) == 0;
}

void Writer::open_file() {
  namespace fs = std::filesystem;
  if (!config_.in_memory() && !file_identity()) {
    if (openings_ > 0) {
      throw Error(
          Errc::unavailable,
          fmt::format("the database file {} is gone: put it back, or restart the process to "
                      "begin with an empty database",
                      config_.file.string()));
    }
    const fs::path folder = config_.file.parent_path();
    std::error_code error;
    if (config_.make_folder) fs::create_directory(folder, error);  // one level, no typo's tree
    if (!fs::is_directory(folder, error)) {
      throw Error(Errc::unavailable,
                  fmt::format("the folder {} of the database does not exist: create "
                              "it (mkdir -p {})",
                              folder.string(), folder.string()));
    }
  }
  const auto interrupted = [this] { return early_end() != End::none; };
  connection_.emplace(config_, Connection::Role::writer, interrupted, openings_ == 0);
  if (!config_.in_memory()) identity_ = file_identity();
  can_write_ = !connection_->read_only();
  suspect_ = false;
  opening_ = ++openings_;
}

// Waiting.

void Writer::wake(Waiter& waiter, const std::exception_ptr& error) {
  waiter.unlink();
  asio::post(context_,
             [resume = std::move(*waiter.resume), error]() mutable { std::move(resume)(error); });
}

void Writer::wake_all(Waiters& waiters, const std::exception_ptr& error) {
  while (!waiters.empty()) wake(waiters.front(), error);
}

awaitable<void> Writer::wait_for_turn(Waiter& waiter) {
  const auto initiate = [this, &waiter](auto&& resume) {
    auto slot = asio::get_associated_cancellation_slot(resume);
    if (slot.is_connected()) {
      slot.assign([this, &waiter](asio::cancellation_type) {
        if (!waiter.is_linked()) return;  // has the turn already
        --figures_.waiting;
        wake(waiter,
             std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
      });
    }
    waiter.resume.emplace(std::move(resume));
    waiter.since = steady_clock::now();
    waiting_.push_back(waiter);
    ++figures_.waiting;
    give_turns();
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      initiate, asio::use_awaitable);
}

// Turns.

bool Writer::try_begin(Transaction& transaction) {
  if (transaction.state == Transaction::State::ended) check_active(transaction);
  if (holder_ || !waiting_.empty() || !begin_group()) return false;
  start(transaction);
  return true;
}

awaitable<void> Writer::begin(Transaction& transaction) {
  if (try_begin(transaction)) co_return;
  Waiter waiter(transaction);
  co_await wait_for_turn(waiter);
}

bool Writer::is_read(std::string_view sql) {
  open();
  return Connection::is_read(connection_->prepare(sql));
}

awaitable<void> Writer::run_alone(FunctionRef<void(Connection&)> read,
                                  const std::atomic<bool>* cancelled) {
  open();
  Transaction turn{.origin = "that only reads", .alone = true};
  const auto statement = [&] { read(*connection_); };
  if (!holder_ && waiting_.empty()) {
    turn.deadline = steady_clock::now() + config_.write_turn_timeout;
    co_return run_interruptibly({turn, cancelled}, statement);
  }
  Waiter waiter(turn);
  co_await wait_for_turn(waiter);
  const struct End {
    Writer& writer;
    Transaction& turn;
    ~End() { writer.rollback(turn); }
  } end{*this, turn};
  check_active(turn);
  run_interruptibly({turn, cancelled}, statement);
}

// Answers false when another process holds the file.
bool Writer::begin_group() {
  if (group_open_) return true;
  open();
  connection_->wait_for_locks(Milliseconds(0));  // the waiting is done by a timer
  const int code = connection_->control("BEGIN IMMEDIATE");
  connection_->wait_for_locks(config_.busy_timeout);
  if ((code & 0xff) == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) {
    suspect_ = (code & 0xff) != SQLITE_READONLY || file_may_be_written();
    throw connection_->last_failure("BEGIN IMMEDIATE");
  }
  group_open_ = true;
  group_size_ = 0;
  group_since_ = steady_clock::now();
  return true;
}

void Writer::start(Transaction& transaction) {
  expect_tick();  // first: it also ends a group that nobody could join
  if (!transaction.alone) {
    transaction.savepoint = group_size_ > 0 || config_.rolled_back;
    if (transaction.savepoint && connection_->control("SAVEPOINT session") != SQLITE_OK) {
      throw connection_->last_failure("SAVEPOINT session");
    }
    ++group_size_;
  }
  transaction.state = Transaction::State::active;
  transaction.since = steady_clock::now();
  transaction.deadline =
      transaction.may_take_long ? Time::max() : transaction.since + config_.write_turn_timeout;
  holder_ = &transaction;
}

void Writer::check_active(const Transaction& transaction) const {
  if (transaction.state == Transaction::State::active) return;
  if (transaction.reason) throw *transaction.reason;
  throw Error(Errc::internal, "The session has no transaction.");
}

// Asked by SQLite, on this thread.
Writer::End Writer::early_end() const {
  if (closing_) return End::closing;
  if (!running_) return End::none;
  if (running_->cancelled && *running_->cancelled) return End::cancelled;
  return steady_clock::now() < running_->transaction.deadline ? End::none : End::late;
}

void Writer::run_interruptibly(const Running& running, FunctionRef<void()> statement) {
  running_ = &running;
  const struct Clear {
    const Running*& running;
    ~Clear() { running = nullptr; }
  } clear{running_};
  try {
    statement();
  } catch (const Failure& failure) {
    if (failure.is_about_file()) suspect_ = true;
    if (!failure.is_interruption()) throw;
    switch (early_end()) {
      case End::none:
        throw;
      case End::closing:
        throw closed_error();
      case End::cancelled:
        throw boost::system::system_error(asio::error::operation_aborted);
      case End::late:
        throw late_error(running.transaction);
    }
  }
}

Outcome Writer::run(Transaction& transaction, const Statement& statement, RowSink& rows,
                    const std::atomic<bool>* cancelled) {
  check_active(transaction);
  Outcome outcome;
  const auto run = [&] { outcome = connection_->run(statement, &rows); };
  try {
    run_interruptibly({transaction, cancelled}, run);
  } catch (const Error& error) {
    if (transaction.nested > 0 && connection_->in_transaction()) throw;
    end_early(transaction,
              Error(error.code(), fmt::format("An earlier statement of the session failed, so its "
                                              "transaction was rolled back: {}",
                                              error.what())));
    throw;
  } catch (...) {
    if (transaction.nested > 0 && connection_->in_transaction()) throw;
    end_early(transaction,
              Error(Errc::internal,
                    "An earlier statement of the session failed, so its transaction was "
                    "rolled back."));
    throw;
  }
  return outcome;
}

void Writer::mark(Transaction& transaction, std::string_view sql, int open) {
  check_active(transaction);
  if (connection_->control(sql) != SQLITE_OK) throw connection_->last_failure(sql);
  transaction.nested = open;
}

awaitable<void> Writer::commit(Transaction& transaction) {
  check_active(transaction);
  if (connection_->has_dangling_references()) {
    rollback(transaction);
    throw Failure(SQLITE_CONSTRAINT_FOREIGNKEY, "FOREIGN KEY constraint failed", "COMMIT",
                  config_.file);
  }
  if (transaction.savepoint && connection_->control("RELEASE session") != SQLITE_OK) {
    const Failure failure = connection_->last_failure("RELEASE session");
    rollback(transaction);
    throw failure;
  }
  if (config_.rolled_back) {
    ++figures_.sessions;
    end_turn(transaction);
    co_return;
  }
  Waiter waiter(transaction);
  const auto initiate = [&](auto&& resume) {
    waiter.resume.emplace(std::move(resume));
    promised_.push_back(waiter);
    ++promised_count_;
    end_turn(transaction);
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      initiate, asio::use_awaitable);
}

void Writer::rollback(Transaction& transaction) noexcept {
  if (transaction.state == Transaction::State::active) {
    undo(transaction);
    end_turn(transaction);
  }
  transaction.state = Transaction::State::idle;
  transaction.nested = 0;
  transaction.reason.reset();
}

void Writer::end_early(Transaction& transaction, Error reason) noexcept {
  undo(transaction);
  end_turn(transaction);
  transaction.state = Transaction::State::ended;
  transaction.nested = 0;
  transaction.reason = std::move(reason);
}

void Writer::undo(Transaction& transaction) noexcept {
  if (transaction.alone) return;
  ++figures_.rollbacks;
  if (connection_->in_transaction()) {
    if (!transaction.savepoint && connection_->control("ROLLBACK") == SQLITE_OK) {
      group_open_ = false;  // there was nobody else in it
      return;
    }
    if (transaction.savepoint && connection_->control("ROLLBACK TO session") == SQLITE_OK &&
        connection_->control("RELEASE session") == SQLITE_OK) {
      return;
    }
  }
  // A full disk, for one, makes SQLite roll everything back.
  const std::string reason = connection_->last_failure("ROLLBACK").what();
  if (connection_->in_transaction()) connection_->control("ROLLBACK");
  lose_group(reason);
}

void Writer::end_turn(Transaction& transaction) {
  const Time now = steady_clock::now();
  const auto held = now - transaction.since;
  if (held > config_.slow_transaction && !transaction.alone) {
    log::warn("slow transaction: other writers waited for it", "session", transaction.title(),
              "held", held);
  }
  transaction.state = Transaction::State::idle;
  holder_ = nullptr;
  const bool full = promised_count_ >= group_limit || now - group_since_ >= group_time_limit;
  if (promised_count_ > 0 && full) commit_group();
  give_turns();
  if (group_open_) expect_tick();
}

void Writer::give_turns() {
  while (!holder_ && !waiting_.empty()) {
    Waiter& first = waiting_.front();
    std::exception_ptr error;
    try {
      if (!first.transaction->alone && !begin_group()) return retry_later();
      start(*first.transaction);
    } catch (...) {
      error = std::current_exception();
    }
    --figures_.waiting;
    wake(first, error);
  }
}

// Another process holds the file: who has waited for long enough hears so, the others keep on.
void Writer::retry_later() {
  const Time now = steady_clock::now();
  const Failure failure(SQLITE_BUSY, "database is locked", "BEGIN IMMEDIATE", config_.file);
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    Waiter& waiter = *next++;
    if (now - waiter.since < config_.busy_timeout) continue;
    --figures_.waiting;
    wake(waiter, std::make_exception_ptr(failure));
  }
  if (waiting_.empty() || retry_armed_) return;
  retry_armed_ = true;
  retry_delay_ = std::clamp(retry_delay_ * 2, Milliseconds(1), longest_retry_delay);
  retry_timer_.expires_after(retry_delay_);
  retry_timer_.async_wait([this](boost::system::error_code) {
    retry_armed_ = false;
    give_turns();
    if (!retry_armed_) retry_delay_ = {};
  });
}

// Groups.

void Writer::commit_group() noexcept {
  std::exception_ptr error;
  if (promised_count_ == 0) {
    connection_->control("ROLLBACK");  // all of its sessions were rolled back
  } else if (connection_->control("COMMIT") == SQLITE_OK) {
    ++figures_.groups;
    figures_.sessions += promised_count_;
  } else {
    const Failure failure = connection_->last_failure("COMMIT");
    log::error("a commit failed, its sessions are rolled back", "sessions", promised_count_,
               "error", failure.what());
    if (connection_->in_transaction()) connection_->control("ROLLBACK");
    suspect_ = true;
    error = std::make_exception_ptr(failure);
  }
  group_open_ = false;
  promised_count_ = 0;
  wake_all(promised_, error);
}

// SQLite rolled everything back, or only that was left to do.
void Writer::lose_group(std::string_view reason) {
  group_open_ = false;
  group_size_ = 0;
  if (promised_count_ == 0) return;
  promised_count_ = 0;
  const Error error(Errc::unavailable,
                    fmt::format("the transaction was rolled back together with others that shared "
                                "the disk write; try again ({})",
                                reason));
  log::error("a group of transactions was rolled back", "error", reason);
  wake_all(promised_, std::make_exception_ptr(error));
}

// A tick comes behind everything that is ready to run now.
void Writer::expect_tick() {
  if (std::exchange(tick_expected_, true)) return;
  asio::post(context_, [this] { tick(); });
}

void Writer::tick() {
  tick_expected_ = false;
  if (holder_) {
    watch_holder();  // suspended; the end of its turn expects the next tick
  } else if (group_open_ && !config_.rolled_back) {
    commit_group();
    give_turns();
  }
}

Error Writer::late_error(const Transaction& transaction) {
  ++figures_.expired;
  log::warn("a session held the write turn for too long and was rolled back", "session",
            transaction.title());
  return {Errc::timeout,
          fmt::format("The session {} held up all other writers for more than {} ms, so it was "
                      "rolled back: between its first write and its end a session should wait for "
                      "nothing else, least of all for another session, and a long statement should "
                      "be split (write_turn_timeout is the limit).",
                      transaction.title(), config_.write_turn_timeout.count())};
}

void Writer::watch_holder() {
  if (holder_->may_take_long || std::exchange(deadline_armed_, true)) return;
  deadline_timer_.expires_at(holder_->deadline);
  deadline_timer_.async_wait([this](boost::system::error_code) {
    deadline_armed_ = false;
    if (!holder_) return;
    if (steady_clock::now() < holder_->deadline) return watch_holder();
    end_early(*holder_, late_error(*holder_));
  });
}

void Writer::close() noexcept {
  interrupt();
  figures_.waiting -= std::distance(waiting_.begin(), waiting_.end());
  wake_all(waiting_, std::make_exception_ptr(closed_error()));
  if (holder_) end_early(*holder_, closed_error());
  if (group_open_ && !config_.rolled_back) commit_group();
  retry_timer_.cancel();
  deadline_timer_.cancel();
  opening_ = 0;
  group_open_ = false;
  if (connection_ && !config_.rolled_back) connection_->control("PRAGMA optimize");
  connection_.reset();
}

}  // namespace aegis::db::sqlite
