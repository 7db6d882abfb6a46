#include "db/postgres/connection.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "aegis/core/log.h"

namespace aegis::db::postgres {

namespace asio = boost::asio;

namespace {

constexpr std::size_t copied_part = 1 << 16;   // bytes that are handed over together
constexpr std::size_t copied_slice = 1 << 20;  // of what is sent; libpq counts in int

bool has_zero(std::string_view sql) {
  return sql.find('\0') != sql.npos;
}

std::int64_t affected(std::string_view tag, const char* count) {
  // "INSERT 0 3", "UPDATE 3", "DELETE 3", "MERGE 3"; "SELECT 3" changed nothing.
  if (!tag.starts_with("INSERT") && !tag.starts_with("UPDATE") && !tag.starts_with("DELETE") &&
      !tag.starts_with("MERGE")) {
    return 0;
  }
  std::int64_t value = 0;
  const std::string_view digits = count;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

/// Whether a statement that was prepared before may fail so because something has changed since:
/// it is gone, its result or a type differs, or what it names.
bool tells_of_change(const Failure& failure) {
  constexpr std::array<std::string_view, 7> states{"26000", "0A000", "42804", "42883",
                                                   "42P18", "42703", "42P01"};
  return std::ranges::any_of(states, [&](std::string_view state) { return failure.is(state); });
}

}  // namespace

Connection::Connection(Handle handle, const Config& config, asio::any_io_executor executor,
                       Owner& owner)
    : config_(config),
      handle_(std::move(handle)),
      descriptor_(std::move(executor)),
      owner_(&owner),
      cache_(static_cast<std::size_t>(config.statement_cache)) {
  PQsetnonblocking(handle_.get(), 1);
  PQenterPipelineMode(handle_.get());
  const auto log_notice = [](void*, const PGresult* result) {
    log::debug("the database says", "message", one_line(PQresultErrorMessage(result)));
  };
  PQsetNoticeReceiver(handle_.get(), log_notice, nullptr);
}

Connection::~Connection() {
  for (const Entry& entry : pending_) {
    if (entry.request) entry.request->sent_on = nullptr;
  }
}

// The descriptor is a copy: libpq closes its own as soon as it finds the connection broken, and
// then the number may be that of another thread's connection before we hear of it.
void Connection::watch() {
  const int copy = ::fcntl(PQsocket(handle_.get()), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return lose(lost_connection(std::strerror(errno)));
  descriptor_.assign(copy);
  await_readable();
}

void Connection::close_descriptor() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
}

// Sending.

void Connection::send(Request& request) {
  if (handle_ && request.alone && unsynced_ > 0) sync();  // which may find it broken
  if (!handle_) {
    request.end = End::lost;
    request.failure = std::make_shared<Failure>(lost_connection(""));
    return;
  }
  append(request.sql, request.values, &request);
  if (!flush_posted_ && !receiving_ && handle_) {
    flush_posted_ = true;
    asio::post(descriptor_.get_executor(), [self = shared_from_this()] {
      self->flush_posted_ = false;
      self->flush();
    });
  }
}

void Connection::send(std::string_view sql, std::span<const Cell> values) {
  if (handle_) append(sql, values, nullptr);
}

void Connection::append(std::string_view sql, std::span<const Cell> values, Request* request) {
  parameters_.set(values);
  PGconn* const pg = handle_.get();
  const auto sent = config_.echo ? Clock::now() : Clock::time_point{};
  Entry entry{.kind = Kind::execute, .request = request, .sent = sent};
  int ok = 1;
  if (cache_.enabled()) {
    StatementCache::Prepared* prepared = cache_.find(sql, values);
    entry.reused = prepared != nullptr;
    if (!prepared) {
      if (has_zero(sql)) throw Error(Errc::invalid, "The SQL text has a zero byte.");
      prepared = &cache_.add(sql, values);
      // A failed transaction takes nothing but its end.
      const bool discards = PQtransactionStatus(pg) != PQTRANS_INERROR;
      while (const auto number = discards && ok ? cache_.take_discarded() : 0) {
        const std::string discard = "DEALLOCATE " + statement_name(number);
        ok = PQsendQueryParams(pg, discard.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1);
        pending_.push_back({.kind = Kind::discard, .statement = number});
        ++unsynced_;
      }
      ok = ok && PQsendPrepare(pg, prepared->name.c_str(), prepared->sql.c_str(),
                               parameters_.count(), prepared->types.data());
      pending_.push_back(
          {.kind = Kind::prepare, .request = request, .statement = prepared->number});
      ++unsynced_;
    }
    entry.statement = prepared->number;
    ok = ok && PQsendQueryPrepared(pg, prepared->name.c_str(), parameters_.count(),
                                   parameters_.pointers(), parameters_.lengths(),
                                   parameters_.formats(), 1);
  } else {
    if (has_zero(sql)) throw Error(Errc::invalid, "The SQL text has a zero byte.");
    std::vector<Oid> types;
    for (const Cell& value : values) types.push_back(type_of(value));
    ok = PQsendQueryParams(pg, std::string(sql).c_str(), parameters_.count(), types.data(),
                           parameters_.pointers(), parameters_.lengths(), parameters_.formats(), 1);
  }
  pending_.push_back(entry);
  ++unsynced_;
  if (request) request->sent_on = this;
  if (!ok) return lose(lost_connection(PQerrorMessage(pg)));
  if (request && request->alone) sync();
}

void Connection::sync() {
  if (PQpipelineSync(handle_.get()) == 0)
    return lose(lost_connection(PQerrorMessage(handle_.get())));
  pending_.push_back({.kind = Kind::sync});
  unsynced_ = 0;
}

void Connection::flush() {
  if (handle_ && unsynced_ > 0) sync();
  if (handle_) push_out();
}

void Connection::push_out() {
  const int rest = PQflush(handle_.get());
  if (rest < 0) return lose(lost_connection(PQerrorMessage(handle_.get())));
  if (rest == 0 || std::exchange(writing_, true)) return;
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_write,
                         [self = shared_from_this()](boost::system::error_code error) {
                           self->writing_ = false;
                           if (error || !self->handle_) return;
                           self->push_out();
                           self->signal_copy();
                         });
}

// Waiting.

Request::~Request() {
  if (sent_on) sent_on->forget(*this);
}

void Connection::forget(Request& request) {
  for (Entry& entry : pending_) {
    if (entry.request == &request) entry.request = nullptr;
  }
  request.sent_on = nullptr;
}

void Connection::await_answer(Request& request, Request::Resume resume, bool cancellable) {
  if (request.end != End::pending) {  // it could not be sent
    asio::post(descriptor_.get_executor(),
               [resume = std::move(resume)]() mutable { std::move(resume)(); });
    return;
  }
  auto slot = asio::get_associated_cancellation_slot(resume);
  if (cancellable && slot.is_connected()) {
    slot.assign([this, &request](asio::cancellation_type) { drop(request); });
  }
  request.resume.emplace(std::move(resume));
}

void Connection::drop(Request& request) {
  if (request.end != End::pending || !request.resume) return;
  forget(request);
  request.end = End::dropped;
  asio::post(descriptor_.get_executor(),
             [resume = std::move(*request.resume)]() mutable { std::move(resume)(); });
}

void Connection::tell_when_drained() {
  if (!drained()) {
    tell_drained_ = true;
    return;
  }
  asio::post(descriptor_.get_executor(), [self = shared_from_this()] {
    if (self->owner_ && self->handle_) self->owner_->drained(*self);
  });
}

// COPY, which libpq does outside of its pipeline mode.

awaitable<void> Connection::copy_event() {
  const auto initiate = [this](auto&& resume) {
    auto slot = asio::get_associated_cancellation_slot(resume);
    if (slot.is_connected()) {
      slot.assign([this](asio::cancellation_type) {
        copy_cancelled_ = true;
        if (!copy_waiter_) return;
        asio::post(descriptor_.get_executor(),
                   [resume = std::move(*copy_waiter_)]() mutable { std::move(resume)(); });
        copy_waiter_.reset();
      });
    }
    copy_waiter_.emplace(std::move(resume));
  };
  co_await asio::async_initiate<const asio::deferred_t, void()>(initiate, asio::deferred);
  if (copy_cancelled_) throw boost::system::system_error(asio::error::operation_aborted);
  if (!handle_) throw lost_connection("");
}

void Connection::signal_copy() {
  if (!copy_waiter_) return;
  auto resume = std::move(*copy_waiter_);
  copy_waiter_.reset();
  std::move(resume)();
}

awaitable<Result> Connection::copy_result() {
  while (PQisBusy(handle_.get())) co_await copy_event();
  if (!handle_) throw lost_connection("");
  co_return Result(PQgetResult(handle_.get()));
}

awaitable<Result> Connection::begin_copy(const std::string& sql) {
  copy_cancelled_ = false;
  flush();
  while (handle_ && !pending_.empty()) co_await copy_event();
  if (!handle_) throw lost_connection("");
  PGconn* const pg = handle_.get();
  if (!PQexitPipelineMode(pg) || !PQsendQuery(pg, sql.c_str())) {
    throw lost_connection(PQerrorMessage(pg));
  }
  copying_ = true;  // and so it stays when this is left by an exception: see clean() of the pool
  push_out();
  co_return co_await copy_result();
}

awaitable<void> Connection::end_copy(Result result, const std::string& sql) {
  std::optional<Failure> failure;
  for (; result; result = co_await copy_result()) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
      co_await abandon_copy();
      throw Error(Errc::invalid, fmt::format("This COPY goes in the other direction: {}", sql));
    }
    if (status == PGRES_FATAL_ERROR) failure.emplace(result.get(), sql, config_);
  }
  leave_copy();
  if (failure) throw Failure(*failure);
}

void Connection::leave_copy() {
  copying_ = false;
  PQenterPipelineMode(handle_.get());
}

awaitable<void> Connection::abandon_copy() {
  const auto self = shared_from_this();
  copy_cancelled_ = false;
  copy_waiter_.reset();  // of a coroutine that is gone
  go_on_receiving();
  PGconn* const pg = handle_.get();
  while (const Result result = co_await copy_result()) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN) {
      if (PQputCopyEnd(pg, "given up") != 1) throw lost_connection(PQerrorMessage(pg));
      push_out();
    } else if (status == PGRES_COPY_OUT) {
      co_await discard_copied();
    }
  }
  leave_copy();
}

awaitable<void> Connection::discard_copied() {
  for (int size = 0; size >= 0;) {
    char* line = nullptr;
    size = PQgetCopyData(handle_.get(), &line, 1);
    PQfreemem(line);
    if (size == 0) co_await copy_event();
    if (!handle_) throw lost_connection("");
  }
}

void Connection::go_on_receiving() {
  resting_ = false;
  if (!handle_ || !std::exchange(readable_, false)) return;
  receive();
  if (handle_) await_readable();
}

awaitable<void> Connection::put_copied(std::string_view part) {
  while (!part.empty()) {
    const std::string_view slice = part.substr(0, copied_slice);
    part.remove_prefix(slice.size());
    PGconn* const pg = handle_.get();
    if (PQputCopyData(pg, slice.data(), static_cast<int>(slice.size())) != 1) {
      throw lost_connection(PQerrorMessage(pg));
    }
    push_out();
    while (writing_) co_await copy_event();
    if (!handle_) throw lost_connection("");
    ++progress_;
  }
}

awaitable<void> Connection::copy_in(const std::string& sql,
                                    FunctionRef<awaitable<bool>(std::string&)> next) {
  const auto self = shared_from_this();
  Result result = co_await begin_copy(sql);
  std::exception_ptr thrown;
  if (result && PQresultStatus(result.get()) == PGRES_COPY_IN) {
    std::string part;
    try {
      while (co_await next(part)) {
        if (!handle_) throw lost_connection("");
        co_await put_copied(part);
      }
    } catch (...) {
      if (!handle_) throw;
      thrown = std::current_exception();
    }
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none && thrown) {
      std::rethrow_exception(thrown);  // nothing can be awaited any more: the pool ends the COPY
    }
    if (!handle_) throw lost_connection("");
    if (PQputCopyEnd(handle_.get(), thrown ? "given up" : nullptr) != 1) {
      throw lost_connection(PQerrorMessage(handle_.get()));
    }
    push_out();
    result = co_await copy_result();
  }
  try {
    co_await end_copy(std::move(result), sql);
  } catch (const Failure&) {
    if (!thrown) throw;  // else it is the one that was asked for
  }
  if (thrown) std::rethrow_exception(thrown);
}

awaitable<void> Connection::copy_out(const std::string& sql,
                                     FunctionRef<awaitable<void>(std::string_view)> take) {
  const auto self = shared_from_this();
  Result result = co_await begin_copy(sql);
  if (result && PQresultStatus(result.get()) == PGRES_COPY_OUT) {
    std::string part;
    for (int size = 0; size >= 0;) {
      char* line = nullptr;
      size = PQgetCopyData(handle_.get(), &line, 1);
      const std::unique_ptr<char, decltype(&PQfreemem)> owner(line, &PQfreemem);
      if (size == -2) throw lost_connection(PQerrorMessage(handle_.get()));
      if (size > 0) part.append(line, static_cast<std::size_t>(size));
      if (size > 0 && part.size() < copied_part) continue;
      if (!part.empty()) {
        resting_ = true;  // what is not taken stays with the server
        co_await take(part);
        part.clear();
        go_on_receiving();
      } else if (size == 0) {
        co_await copy_event();
      }
      if (!handle_) throw lost_connection("");
    }
    result = co_await copy_result();
  }
  co_await end_copy(std::move(result), sql);
}

// Receiving.

void Connection::await_readable() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](boost::system::error_code error) {
                           if (error || !self->handle_) return;
                           if (self->resting_) {
                             self->readable_ = true;
                             return;
                           }
                           self->receive();
                           if (self->handle_) self->await_readable();
                         });
}

void Connection::receive() {
  ++progress_;
  receiving_ = true;
  PGconn* const pg = handle_.get();
  const bool connected = PQconsumeInput(pg) != 0;
  if (copying_ && connected) {
    receiving_ = false;
    return signal_copy();
  }
  while (handle_ && PQisBusy(pg) == 0 && !pending_.empty()) take(Result(PQgetResult(pg)));
  receiving_ = false;
  if (handle_ && (!connected || PQstatus(pg) == CONNECTION_BAD)) {
    lose(lost_connection(PQerrorMessage(pg)));
  }
  if (handle_ && pending_.empty() && std::exchange(tell_drained_, false)) owner_->drained(*this);
  if (listens) take_notifications();
  resume_ended();
  flush();
  if (pending_.empty()) signal_copy();
}

void Connection::take_notifications() {
  struct Free {
    void operator()(PGnotify* notification) const { PQfreemem(notification); }
  };
  while (handle_ && owner_) {
    const std::unique_ptr<PGnotify, Free> next(PQnotifies(handle_.get()));
    if (!next) return;
    owner_->notified(next->relname, next->extra);
  }
}

void Connection::resume_ended() {
  receiving_ = true;  // what they send leaves together
  auto ended = std::exchange(ended_, {});
  for (auto next = ended.begin(); next != ended.end();) {
    auto resume = std::move(*next++);
    try {
      std::move(resume)();
    } catch (...) {  // from a completion handler; the others must not be lost with it
      receiving_ = false;
      for (; next != ended.end(); ++next) {
        asio::post(descriptor_.get_executor(),
                   [rest = std::move(*next)]() mutable { std::move(rest)(); });
      }
      flush();
      throw;
    }
  }
  receiving_ = false;
  ended.clear();
  if (ended_.empty()) ended_ = std::move(ended);  // its memory is good for the next round
}

void Connection::take(Result result) {
  Entry& front = pending_.front();
  switch (result ? PQresultStatus(result.get()) : PGRES_EMPTY_QUERY) {
    case PGRES_PIPELINE_SYNC:
      // Better to have no answer than that of somebody else.
      if (front.kind != Kind::sync) return lose(lost_connection("an answer too few"));
      batch_failure_.reset();
      batch_stale_ = false;
      pending_.pop_front();
      return;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK: {
      const std::string_view tag = PQcmdStatus(result.get());
      // When the connection breaks, libpq 15 makes up a success for a statement whose end never
      // came; a real one of an execution has a tag.
      const bool complete =
          front.kind == Kind::execute ? !tag.empty() : PQstatus(handle_.get()) != CONNECTION_BAD;
      if (!complete) return lose(lost_connection(PQerrorMessage(handle_.get())));
      if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) take_rows(front, result.get());
      front_end_ = End::done;
      if (front.kind != Kind::execute) return;
      if (front.request) {
        front.request->outcome.affected = affected(tag, PQcmdTuples(result.get()));
        front.request->rolled_back = tag == "ROLLBACK";
      }
      if (config_.echo) log_statement(front, result.get());
      // What is prepared may be out of date, or gone.
      if (tag.starts_with("ALTER") || tag.starts_with("DROP")) cache_.discard_all();
      if (tag == "DISCARD ALL" || tag == "DEALLOCATE ALL") cache_.clear();
      return;
    }
    case PGRES_FATAL_ERROR:
      return take_failure(front, result.get());
    case PGRES_PIPELINE_ABORTED:
      front_end_ = End::aborted;
      return;
    case PGRES_EMPTY_QUERY:
      if (result) {
        front_end_ = End::done;  // an empty statement
        return;
      }
      // The statement's end; one without a result comes from a connection that is gone.
      if (front_end_ == End::pending) return lose(lost_connection(PQerrorMessage(handle_.get())));
      break;
    default:
      return lose({Errc::internal,
                   "This statement needs a protocol of its own, such as COPY, and cannot be run "
                   "by query() or execute()."});
  }
  const Entry entry = front;
  pending_.pop_front();
  finish(entry);
}

void Connection::take_failure(Entry& entry, const PGresult* result) {
  if (PQstatus(handle_.get()) == CONNECTION_BAD) {
    const bool told = PQresultErrorField(result, PG_DIAG_SQLSTATE) != nullptr;
    return lose(told ? Failure(result, "", config_)
                     : lost_connection(PQresultErrorMessage(result)));
  }
  const std::string_view sql = entry.request ? entry.request->sql : std::string_view{};
  const auto failure = std::make_shared<const Failure>(result, sql, config_);
  if (failure->ends_connection()) return lose(*failure);
  batch_failure_ = failure;
  const bool out_of_date = entry.reused && tells_of_change(*failure);
  front_end_ = out_of_date ? End::stale : End::failed;
  batch_stale_ = out_of_date;
  if (out_of_date) cache_.forget(entry.statement);
  if (failure->is("26000")) cache_.clear();  // so are the others, as a rule
  if (entry.request) entry.request->failure = failure;
  if (config_.echo) log::info("sql failed", "sql", sql, "error", failure->what());
}

void Connection::take_rows(Entry& entry, const PGresult* result) {
  Request* const request = entry.request;
  if (!request || !request->rows || request->thrown) return;
  request->answer_bytes += PQresultMemorySize(result);
  try {
    decoder_.read(result, *request->rows);
  } catch (...) {
    request->thrown = std::current_exception();
  }
}

// All results of the entry are there.
void Connection::finish(const Entry& entry) {
  const End how = std::exchange(front_end_, End::pending);
  switch (entry.kind) {
    case Kind::prepare:
      if (how != End::done) cache_.forget(entry.statement);
      return;
    case Kind::discard:
      if (how == End::aborted) cache_.put_back_discarded(entry.statement);
      return;
    case Kind::execute:
      break;
    case Kind::sync:
      return;
  }
  if (!entry.request) return;
  Request& request = *entry.request;
  if (how == End::aborted && request.failure) return end(request, End::failed);  // when prepared
  if (how == End::aborted) request.failure = batch_failure_;
  end(request, how == End::aborted && batch_stale_ ? End::stale : how);
}

void Connection::end(Request& request, End how) {
  request.end = how;
  request.sent_on = nullptr;
  if (request.resume) ended_.push_back(std::move(*request.resume));
}

void Connection::log_statement(const Entry& entry, PGresult* result) const {
  const std::string_view sql = entry.request ? entry.request->sql : PQcmdStatus(result);
  log::info("sql", "sql", sql, "took", Clock::now() - entry.sent, "rows", PQntuples(result),
            "changed", affected(PQcmdStatus(result), PQcmdTuples(result)));
}

// The end.

void Connection::lose(const Failure& failure) {
  if (!handle_) return;
  const auto self = shared_from_this();
  close_descriptor();  // its waits end
  // Not at once: libpq may be what calls.
  asio::post(descriptor_.get_executor(),
             [handle = std::move(handle_)]() mutable { handle.reset(); });
  const auto why = std::make_shared<const Failure>(failure);
  for (const Entry& entry : std::exchange(pending_, {})) {
    if (entry.kind != Kind::execute || !entry.request) continue;
    entry.request->end = End::lost;
    entry.request->sent_on = nullptr;
    entry.request->failure = why;
    if (!entry.request->resume) continue;
    asio::post(descriptor_.get_executor(),
               [resume = std::move(*entry.request->resume)]() mutable { std::move(resume)(); });
  }
  unsynced_ = 0;
  if (copy_waiter_) {
    asio::post(descriptor_.get_executor(),
               [resume = std::move(*copy_waiter_)]() mutable { std::move(resume)(); });
    copy_waiter_.reset();
  }
  if (owner_) std::exchange(owner_, nullptr)->lost(*this);
}

void Connection::close() {
  owner_ = nullptr;
  lose({Errc::unavailable, closed_error().what()});
}

void Connection::shut_down() {
  owner_ = nullptr;
  close_descriptor();
  handle_.reset();
  std::vector<Request::Resume> waiting = std::exchange(ended_, {});
  if (copy_waiter_) waiting.push_back(std::move(*copy_waiter_));
  copy_waiter_.reset();
  for (const Entry& entry : std::exchange(pending_, {})) {
    if (entry.kind != Kind::execute || !entry.request) continue;
    entry.request->sent_on = nullptr;
    if (entry.request->resume) waiting.push_back(std::move(*entry.request->resume));
  }
}

}  // namespace aegis::db::postgres
