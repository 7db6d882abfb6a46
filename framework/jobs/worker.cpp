#include "jobs/worker.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "core/run_on.h"
#include "jobs/worker_impl.h"

namespace aegis::jobs {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

std::string process_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}:{}", host.data(), ::getpid());
}

awaitable<void> nothing() {
  co_return;
}

}  // namespace

Worker::Impl::Impl(Runtime& runtime, Database& db, const Services& found,
                   std::vector<const JobKind*> known, WorkerOptions given)
    : cores(runtime),
      store(db),
      limited_fetch(store, known),
      all_kinds(known),
      services(found),
      options(std::move(given)),
      inbox(std::make_shared<Inbox>(this)) {
  for (const JobKind* kind : known) {
    registration.kinds.emplace_back(kind->name);
    kinds.emplace(kind->name, kind);
  }
  kinds_json = to_json(registration.kinds);
  for (const auto& queue : options.queues) {
    registration.queues.push_back(queue.name);
    queues.push_back(
        {.name = queue.name, .limit = queue.limit ? queue.limit : options.concurrency});
  }
  registration.name = process_name();
  registration.length = options.lease;
  registration.concurrency = options.concurrency;
}

void Worker::Impl::start() {
  news = store.hub().listen([inbox = inbox](std::string_view queue, bool later) {
    inbox->leave([&](Inbox& box) {
      if (later) {
        box.due = true;
      } else if (std::ranges::find(box.queues, queue) == box.queues.end()) {
        box.queues.emplace_back(queue);
      }
    });
  });
  spawn("lease", keep_lease());
  spawn("watchdog", watch_lease());
  spawn("fetch", fetch());
  spawn("record", record());
  spawn("housekeeping", keep_house());
  spawn("clearing out", keep_clear());
  spawn("reports", report());
  asio::co_spawn(context, hear(), asio::bind_cancellation_slot(deafen.slot(), asio::detached));
  thread = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "aegis-jobs");
    context.run();
  });
}

Worker::Impl::~Impl() {
  news.reset();
  {
    const std::lock_guard lock(inbox->mutex);
    inbox->worker = nullptr;
  }
  if (!thread.joinable()) return;
  asio::post(context, [this] { end(); });
  thread.join();
}

void Worker::Impl::spawn(std::string_view name, awaitable<void> task) {
  asio::co_spawn(context, std::move(task), [name](const std::exception_ptr& error) {
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      log::error("a part of the worker ended with an exception", "part", name, "error", e.what());
    }
  });
}

awaitable<void> Worker::Impl::drain(Milliseconds limit) {
  draining = true;
  wanted.notify();
  const auto until = steady_clock::now() + limit;
  co_await wait_for_idle(until);
  if (!attempts.empty()) {
    log::warn("jobs did not end in time and are given back", "jobs", attempts.size());
    for (const auto& [key, one] : attempts) one.attempt->stop(Stop::shutdown);
    co_await wait_for_idle(steady_clock::now() + std::max<Milliseconds>(limit / 10, 200ms));
  }
  const std::int64_t until_now = std::exchange(lease, 0);
  std::string trouble;
  try {
    if (until_now != 0) co_await store.sign_off(until_now);
  } catch (const std::exception& error) {
    trouble = error.what();
  }
  if (!trouble.empty()) {
    log::warn("the worker could not sign off: its jobs start elsewhere when its lease ends",
              "error", trouble);
  }
  end();
}

awaitable<void> Worker::Impl::wait_for_idle(steady_clock::time_point until) {
  for (;;) {
    if (!fetching && attempts.empty() && unrecorded.empty() && recording == 0) co_return;
    const auto now = steady_clock::now();
    if (now >= until) co_return;
    co_await idle.wait(until - now);
  }
}

void Worker::Impl::end() {
  over = true;
  deafen.emit(asio::cancellation_type::terminal);
  for (Signal* signal :
       {&beat, &watch, &wanted, &to_record, &again, &due, &reports_due, &clearing}) {
    signal->notify();
  }
}

Worker::Worker(Runtime& runtime, Database& database, const Services& services,
               std::vector<const JobKind*> kinds, WorkerOptions options)
    : impl_(std::make_unique<Impl>(runtime, database, services, std::move(kinds),
                                   std::move(options))) {}

Worker::~Worker() = default;

void Worker::start() {
  impl_->start();
}

awaitable<void> Worker::drain(std::chrono::milliseconds limit) {
  if (!impl_->thread.joinable()) return nothing();  // never started
  return run_on(asio::any_io_executor(impl_->context.get_executor()), impl_->drain(limit));
}

}  // namespace aegis::jobs
