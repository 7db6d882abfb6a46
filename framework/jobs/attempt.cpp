#include "jobs/attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "aegis/core/clock.h"
#include "aegis/core/log.h"
#include "core/describe/utf8.h"
#include "db/driver.h"
#include "jobs/tables.h"

namespace aegis::jobs {

namespace asio = boost::asio;

namespace {

/// Beyond what a back-off can mean, and within what every database can add to a time.
constexpr std::chrono::milliseconds longest_delay = std::chrono::years(100);

/// `text` as any database can keep it: U+FFFD stands for what is no UTF-8, and for a zero byte.
std::string storable(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = text[0] == '\0' ? 0 : detail::utf8_character(text);
    kept += length == 0 ? "\xEF\xBF\xBD" : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return kept;
}

std::string message_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return storable(error.what());
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace

Ending failed_ending(const JobKind& kind, const Claim& claim, std::string_view reason) {
  Ending ending{.how = Ending::How::dead,
                .reason = fmt::format("attempt {}: {}", claim.attempt, reason)};
  if (claim.attempt >= claim.max_attempts) return ending;
  ending.how = Ending::How::failed;
  try {
    ending.delay = std::min(kind.options.backoff(claim.attempt), longest_delay);
  } catch (...) {
    ending.delay = exponential_backoff(claim.attempt);
    *ending.reason += "; its back-off failed too: " + message_of(std::current_exception());
  }
  return ending;
}

/// The hold on the database of the job's own session: its commit also ends the attempt, in the same
/// transaction, and fails when the job has been given to another.
class Attempt::FencedLink final : public db::Link {
 public:
  FencedLink(Attempt& attempt, std::unique_ptr<db::Link> link)
      : attempt_(attempt), link_(std::move(link)) {}

  awaitable<db::Outcome> run(const db::Statement& statement, db::RowSink& rows) override {
    return link_->run(statement, rows);
  }
  std::unique_ptr<db::RowStream> stream(const db::Statement& statement) override {
    return link_->stream(statement);
  }
  awaitable<void> begin() override { return link_->begin(); }
  awaitable<void> rollback() override { return link_->rollback(); }
  awaitable<bool> insert_rows(const Table& table, std::span<void* const> rows,
                              bool with_key) override {
    return link_->insert_rows(table, rows, with_key);
  }
  awaitable<void> copy_in(const std::string& sql,
                          FunctionRef<awaitable<bool>(std::string&)> next) override {
    return link_->copy_in(sql, next);
  }
  awaitable<void> copy_out(const std::string& sql,
                           FunctionRef<awaitable<void>(std::string_view)> take) override {
    return link_->copy_out(sql, take);
  }
  awaitable<void> notify(std::string_view where, std::string_view payload) override {
    return link_->notify(where, payload);
  }
  awaitable<void> savepoint(int depth) override { return link_->savepoint(depth); }
  awaitable<void> release(int depth) override { return link_->release(depth); }
  awaitable<void> rollback_to(int depth) override { return link_->rollback_to(depth); }

  awaitable<void> commit() override {
    if (attempt_.recorded_) {
      throw Error(Errc::internal,
                  "This job is complete since the first commit of its session, JobContext::db(): "
                  "what comes after needs a session of its own, JobContext::database().");
    }
    Ending ending = attempt_.ending_;
    {
      const std::lock_guard lock(attempt_.reports_mutex_);
      ending.progress = attempt_.reports_.progress;
      ending.message = attempt_.reports_.message;
    }
    const bool mine = co_await end_attempt(*link_, attempt_.store_.sql(), attempt_.store_.now(),
                                           attempt_.fence(), ending);
    if (!mine) attempt_.throw_stale();
    co_await link_->commit();
    attempt_.recorded_ = true;
  }

 private:
  Attempt& attempt_;
  std::unique_ptr<db::Link> link_;
};

Attempt::Attempt(Store& store, const Services& services, const JobKind& kind, Claim claim,
                 std::int64_t lease, asio::any_io_executor executor)
    : store_(store),
      services_(services),
      kind_(kind),
      claim_(std::move(claim)),
      lease_(lease),
      executor_(std::move(executor)) {}

std::optional<std::chrono::steady_clock::time_point> Attempt::begun() const {
  const auto since = begun_.load();
  if (since == std::chrono::steady_clock::duration::zero()) return std::nullopt;
  return std::chrono::steady_clock::time_point(since);
}

void Attempt::start(Done done) {
  done_ = std::move(done);
  // First: who stops it and then sees that it has not begun may be sure that it never will.
  begun_ = std::chrono::steady_clock::now().time_since_epoch();
  if (stop_ != Stop::no) {
    conclude(std::make_exception_ptr(Error(Errc::unavailable, "stopped before it began")));
    ended();
    return;
  }
  if (claim_.timeout.count() > 0) {
    deadline_.emplace(executor_, claim_.timeout);
    deadline_->async_wait([weak = weak_from_this()](boost::system::error_code error) {
      const auto self = weak.lock();
      if (self && !error) self->stop(Stop::timeout);
    });
  }
  asio::co_spawn(
      executor_, run(),
      asio::bind_cancellation_slot(cancel_.slot(),
                                   [self = shared_from_this()](const std::exception_ptr& failure) {
                                     self->conclude(failure);
                                     self->ended();
                                   }));
}

void Attempt::stop(Stop why) {
  Stop none = Stop::no;
  if (!stop_.compare_exchange_strong(none, why)) return;
  asio::post(executor_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->cancel_.emit(asio::cancellation_type::terminal);
  });
}

awaitable<void> Attempt::run() {
  // Whatever happens inside, the session ends with it, on this executor.
  struct End {
    Attempt& attempt;
    ~End() { attempt.session_.reset(); }
  } end{*this};
  co_await work();
}

awaitable<void> Attempt::work() {
  const auto job = kind_.make();
  read_json(claim_.arguments, kind_.arguments, job.get()).raise();
  JobContext context(*this);
  co_await kind_.run(job.get(), context);
  if (session_ && !recorded_) co_await session_->commit();
}

// Says how the attempt ended, from what is known of it.
void Attempt::conclude(const std::exception_ptr& failure) {
  using How = Ending::How;
  if (!failure || recorded_) {
    if (failure) {
      log().warn("a job failed after its session had committed and completed it", "error",
                 message_of(failure));
    }
    return;
  }
  const auto fail = [this](std::string_view reason) {
    ending_ = failed_ending(kind_, claim_, reason);
  };
  ending_ = {};
  if (stale_) {
    ending_.how = How::lost;
    ending_.reason = message_of(failure);
    return;
  }
  switch (stop_.load()) {
    case Stop::no:
      return fail(message_of(failure));
    case Stop::timeout:
      return fail(fmt::format("took longer than {} ms, its timeout", claim_.timeout.count()));
    case Stop::cancelled:
      ending_.how = How::cancelled;
      ending_.reason = fmt::format("attempt {}: cancelled while it ran", claim_.attempt);
      return;
    case Stop::shutdown:
      ending_.how = How::released;
      return;
    case Stop::lease_lost:
      ending_.how = How::lost;
      ending_.reason = "its worker lost its lease";
      return;
  }
}

void Attempt::ended() {
  deadline_.reset();
  const auto done = std::exchange(done_, nullptr);
  done(shared_from_this());
}

Session& Attempt::session() {
  if (!session_) {
    // In place: the job may wait for other things before it writes.
    const SessionOptions options{.in_place = true, .origin = kind_.name};
    session_.emplace(std::make_unique<FencedLink>(*this, store_.driver().open(options, nullptr)),
                     store_.driver(), options);
  }
  return *session_;
}

void Attempt::end_as(Ending ending) {
  ending.output = std::move(ending_.output);
  ending.delay = std::min(ending.delay, longest_delay);
  if (ending.reason) ending.reason = storable(*ending.reason);
  ending_ = std::move(ending);
}

void Attempt::report(double progress, std::string_view message) {
  const std::lock_guard lock(reports_mutex_);
  reports_.progress = progress;
  if (!message.empty()) reports_.message = storable(message);
}

void Attempt::report_line(std::string_view line) {
  log().info(line);
  const Cell test_time = store_.now();
  const auto* given = std::get_if<Timestamp>(&test_time);
  const Timestamp now = given ? *given : Clock::system().now();
  const std::lock_guard lock(reports_mutex_);
  reports_.lines.emplace_back(now, storable(line));
}

awaitable<std::string> Attempt::run_step(std::string name,
                                         FunctionRef<awaitable<std::string>(Session&)> work) {
  JobStep step{.job_id = claim_.id, .name = std::move(name)};
  auto find = [&](Session& s) -> awaitable<std::optional<JobStep>> {
    return s.select<JobStep>()
        .where(JobStep::col.job_id == step.job_id && JobStep::col.name == step.name)
        .first();
  };
  const auto done = co_await store_.database().session({.read_only = true}, find);
  if (done) co_return done->answer;
  auto body = [&](Session& s) -> awaitable<void> {
    step.id.reset();  // a body may run again
    step.answer = co_await work(s);
    const bool mine = co_await store_.hold(s, fence());
    if (!mine) throw_stale();
    co_await s.insert(step);
  };
  // In place: it may wait for other things before it writes.
  co_await store_.database().session({.in_place = true, .origin = kind_.name}, body);
  co_return step.answer;
}

log::Log Attempt::log() const {
  return log::root().with("job", claim_.id, "kind", claim_.kind, "attempt", claim_.attempt);
}

void Attempt::throw_stale() {
  stale_ = true;
  throw Error(Errc::conflict,
              fmt::format("Attempt {} of job {} is no longer the one that counts: it was taken "
                          "for dead, and the job was given to another worker. Nothing of it is "
                          "stored.",
                          claim_.attempt, claim_.id));
}

Attempt::Reports Attempt::take_reports() {
  const std::lock_guard lock(reports_mutex_);
  return std::exchange(reports_, {});
}

}  // namespace aegis::jobs

namespace aegis {

std::int64_t JobContext::id() const {
  return attempt_->claim().id;
}
int JobContext::attempt() const {
  return attempt_->claim().attempt;
}
int JobContext::max_attempts() const {
  return attempt_->claim().max_attempts;
}

Session& JobContext::db() {
  return attempt_->session();
}
Database& JobContext::database() {
  return attempt_->store().database();
}

void JobContext::snooze(std::chrono::milliseconds delay) {
  attempt_->end_as({.how = jobs::Ending::How::snoozed, .delay = delay});
}
void JobContext::discard(std::string reason) {
  attempt_->end_as({.how = jobs::Ending::How::cancelled, .reason = std::move(reason)});
}

void JobContext::progress(double fraction, std::string message) {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw Error(Errc::invalid,
                fmt::format("Progress goes from 0 to 1, but is given as {}.", fraction));
  }
  attempt_->report(fraction, message);
}
awaitable<std::string> JobContext::run_step(std::string name,
                                            FunctionRef<awaitable<std::string>(Session&)> work) {
  return attempt_->run_step(std::move(name), work);
}
void JobContext::log(std::string message) {
  attempt_->report_line(message);
}
void JobContext::output_json(std::string json) {
  attempt_->set_output(std::move(json));
}

void* JobContext::find(Services::Key key, std::string_view type) {
  if (void* found = attempt_->services().find(key)) return found;
  throw Error(Errc::internal, fmt::format("Job {} asks for the service {}, which nobody provides "
                                          "(App::provide).",
                                          attempt_->claim().kind, type));
}

}  // namespace aegis
