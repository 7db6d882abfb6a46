#include "jobs/attempt.h"

#include <fmt/format.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "aegis/core/clock.h"
#include "aegis/core/log.h"
#include "db/driver.h"

namespace aegis::jobs {

namespace asio = boost::asio;

namespace {

std::string message_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace

/// The hold on the database of the job's own session: its commit also ends the attempt, in the same
/// transaction, and fails when the job has been given to another.
class Attempt::FencedLink final : public db::Link {
 public:
  FencedLink(Attempt& attempt, std::unique_ptr<db::Link> link)
      : attempt_(attempt), link_(std::move(link)) {}

  awaitable<db::Outcome> run(const db::Statement& statement, db::RowSink& rows) override {
    return link_->run(statement, rows);
  }
  awaitable<void> begin() override { return link_->begin(); }
  awaitable<void> rollback() override { return link_->rollback(); }
  awaitable<bool> insert_rows(const Table& table, std::span<void* const> rows,
                              bool with_key) override {
    return link_->insert_rows(table, rows, with_key);
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
    if (!mine) {
      attempt_.stale_ = true;
      throw Error(Errc::conflict,
                  fmt::format("Attempt {} of job {} is no longer the one that counts: it was taken "
                              "for dead, and the job was given to another worker. Nothing of it is "
                              "stored.",
                              attempt_.claim_.attempt, attempt_.claim_.id));
    }
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
      log_(log::root().with("job", claim_.id, "kind", claim_.kind, "attempt", claim_.attempt)),
      executor_(std::move(executor)) {}

void Attempt::start(Done done) {
  done_ = std::move(done);
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
      log_.warn("a job failed after its session had committed and completed it", "error",
                message_of(failure));
    }
    return;
  }
  const auto fail = [this](std::string reason) {
    const bool last = claim_.attempt >= claim_.max_attempts;
    ending_.how = last ? How::dead : How::failed;
    ending_.delay = last ? std::chrono::milliseconds(0) : kind_.options.backoff(claim_.attempt);
    ending_.reason = fmt::format("attempt {}: {}", claim_.attempt, reason);
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
  ending_ = std::move(ending);
}

void Attempt::report(double progress, std::string message) {
  const std::lock_guard lock(reports_mutex_);
  reports_.progress = progress;
  if (!message.empty()) reports_.message = std::move(message);
}

void Attempt::report_line(std::string line) {
  log_.info(line);
  const Cell test_time = store_.now();
  const auto* given = std::get_if<Timestamp>(&test_time);
  const Timestamp now = given ? *given : Clock::system().now();
  const std::lock_guard lock(reports_mutex_);
  reports_.lines.emplace_back(now, std::move(line));
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
  attempt_->report(fraction, std::move(message));
}
void JobContext::log(std::string message) {
  attempt_->report_line(std::move(message));
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
