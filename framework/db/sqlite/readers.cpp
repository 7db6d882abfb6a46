#include "db/sqlite/readers.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <utility>

namespace aegis::db::sqlite {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds long_read{2};
// How many runs of a statement go to a reader before the caller's thread is tried again. The clock
// also counts what the machine was busy with otherwise, so its verdict holds for less.
constexpr int runs_elsewhere_by_clock = 64;
constexpr int runs_elsewhere_by_opcodes = 1024;
constexpr std::size_t slow_statements_kept = 32;

std::atomic<std::uint64_t> next_identity = 1;

}  // namespace

/// A connection that belongs to a thread that is not ours. The lock is for close() alone.
struct Readers::Guest {
  std::mutex mutex;
  std::optional<Connection> connection;
  std::uint64_t opening = 0;
};

Readers::Readers(const Config& config, const std::atomic<std::uint64_t>& opening)
    : config_(config), opening_(opening), identity_(next_identity++) {}

Readers::~Readers() {
  close();
}

Readers::Guest& Readers::guest() {
  thread_local struct {
    std::uint64_t owner = 0;
    Guest* guest = nullptr;
  } latest;
  if (latest.owner != identity_) {
    const std::lock_guard lock(guests_mutex_);
    auto& mine = guests_[std::this_thread::get_id()];
    if (!mine) mine = std::make_unique<Guest>();
    latest = {identity_, mine.get()};
  }
  return *latest.guest;
}

Readers::Attempt Readers::try_here(const Statement& statement, RowSink& rows, Outcome& outcome,
                                   steady_clock::time_point now) {
  if (config_.inline_opcodes == 0) return Attempt::elsewhere;
  Guest& mine = guest();
  const std::lock_guard lock(mine.mutex);
  const std::uint64_t opening = opening_.load(std::memory_order_acquire);
  if (opening == 0 || closed_) return Attempt::elsewhere;
  Connection::Prepared* prepared = nullptr;
  try {
    if (mine.opening != opening) {
      mine.connection.reset();
      mine.connection.emplace(config_, Connection::Role::guest);
      mine.opening = opening;
      now = steady_clock::now();
    }
    prepared = &mine.connection->prepare(statement.sql);
    if (!Connection::is_read(*prepared)) return Attempt::is_write;
    int& elsewhere = Connection::runs_elsewhere(*prepared);
    if (elsewhere > 0) {
      --elsewhere;
      return Attempt::elsewhere;
    }
    outcome = mine.connection->run(*prepared, statement.values, &rows);
    figures_.here.fetch_add(1, std::memory_order_relaxed);
    if (steady_clock::now() - now > long_read) {
      elsewhere = runs_elsewhere_by_clock;
      remember_slow(statement.sql);
    }
    return Attempt::done;
  } catch (const Failure& failure) {
    const int code = failure.primary_code();
    if (failure.is_about_file()) mine.opening = 0;
    if (code == SQLITE_INTERRUPT) {
      if (prepared) Connection::runs_elsewhere(*prepared) = runs_elsewhere_by_opcodes;
      remember_slow(statement.sql);
    } else if (code != SQLITE_BUSY) {
      throw;
    }
  }
  if (prepared) rows.restart();
  ++figures_.moved;
  return Attempt::elsewhere;
}

awaitable<void> Readers::on_reader(FunctionRef<void(Connection&)> work) {
  start_threads();
  Job job{work};
  const auto initiate = [this, &job](auto&& resume) {
    auto slot = asio::get_associated_cancellation_slot(resume);
    if (slot.is_connected()) {
      slot.assign([&job](asio::cancellation_type) { job.cancelled = true; });
    }
    job.executor = asio::prefer(asio::get_associated_executor(resume),
                                asio::execution::outstanding_work.tracked);
    job.resume.emplace(std::move(resume));
    {
      const std::lock_guard lock(mutex_);
      if (!closed_) {
        queue_.push_back(&job);
        ++figures_.waiting;
        ready_.notify_one();
        return;
      }
    }
    finish(job, std::make_exception_ptr(closed_error()));
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      initiate, asio::use_awaitable);
}

void Readers::start_threads() {
  const std::lock_guard lock(mutex_);
  while (!closed_ && std::cmp_less(threads_.size(), config_.readers)) {
    threads_.emplace_back([this] { serve(); });
  }
}

void Readers::serve() {
  ::pthread_setname_np(::pthread_self(), "sqlite-reader");
  Job* job = nullptr;
  const auto interrupted = [&] { return closed_ || job->cancelled; };
  std::optional<Connection> connection;
  std::uint64_t opening = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [&] { return closed_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = queue_.front();
      queue_.pop_front();
      --figures_.waiting;
    }
    std::exception_ptr error;
    try {
      if (interrupted()) throw closed_error();
      if (const std::uint64_t current = opening_; opening != current || current == 0) {
        connection.reset();
        connection.emplace(config_, Connection::Role::reader, interrupted);
        opening = current;
      }
      job->work(*connection);
      ++figures_.hopped;
    } catch (const Failure& failure) {
      if (failure.is_about_file()) opening = 0;
      error = std::current_exception();
    } catch (...) {
      error = std::current_exception();
    }
    if (error && closed_) {
      error = std::make_exception_ptr(closed_error());
    } else if (error && job->cancelled) {
      error = std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
    }
    finish(*job, std::move(error));
  }
}

// The job is gone as soon as its coroutine resumes.
void Readers::finish(Job& job, std::exception_ptr error) {
  const asio::any_io_executor executor = std::move(job.executor);
  asio::post(executor, [resume = std::move(*job.resume), error = std::move(error)]() mutable {
    std::move(resume)(std::move(error));
  });
}

void Readers::remember_slow(std::string_view sql) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(slow_, sql) != slow_.end()) return;
  if (slow_.size() == slow_statements_kept) slow_.pop_front();
  slow_.emplace_back(sql);
}

std::vector<std::string> Readers::slow_statements() const {
  const std::lock_guard lock(mutex_);
  return {slow_.begin(), slow_.end()};
}

void Readers::interrupt() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  ready_.notify_all();
}

void Readers::close() {
  interrupt();
  std::call_once(joined_, [this] {
    for (std::thread& thread : threads_) thread.join();
  });
  const std::lock_guard lock(guests_mutex_);
  for (const auto& [thread, mine] : guests_) {
    const std::lock_guard guest_lock(mine->mutex);
    mine->opening = 0;
    mine->connection.reset();
  }
}

}  // namespace aegis::db::sqlite
