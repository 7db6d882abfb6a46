#include "schedule/scheduler.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "aegis/core/log.h"
#include "aegis/db/listener.h"
#include "core/run_on.h"
#include "jobs/signal.h"
#include "schedule/words.h"

namespace aegis::schedule {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

struct Scheduler::Impl {
  Impl(Database& database, std::vector<const JobKind*> kinds,
       std::vector<Schedules::Declared> schedules, SchedulerOptions given)
      : store(database, std::move(kinds)), declared(std::move(schedules)), options(given) {}

  ~Impl() {
    if (!thread.joinable()) return;
    asio::post(context, [this] { end(); });
    thread.join();
  }

  void start() {
    spawn("fire", fire());
    spawn("history", keep_history());
    ++parts;
    asio::co_spawn(context, hear(),
                   asio::bind_cancellation_slot(
                       deafen.slot(), [this](const std::exception_ptr&) { part_ended(); }));
    thread = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "aegis-schedule");
      context.run();
    });
  }

  void spawn(std::string_view name, awaitable<void> task) {
    ++parts;
    asio::co_spawn(context, std::move(task), [this, name](const std::exception_ptr& error) {
      part_ended();
      if (!error) return;
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& e) {
        log::error("a part of the scheduler ended with an exception", "part", name, "error",
                   e.what());
      }
    });
  }

  void part_ended() {
    --parts;
    ended.notify();
  }

  awaitable<void> fire() {
    bool reconciled = false;
    Milliseconds pause{};
    while (!over) {
      std::string trouble;
      Milliseconds wait{};
      try {
        if (!reconciled) {
          co_await store.reconcile(declared);
          co_await store.draw_back(options.patience);
          reconciled = true;
          log::info("the scheduler runs", "declared", declared.size());
        }
        wait = co_await fire_due();
      } catch (const std::exception& error) {
        trouble = error.what();
      }
      if (trouble.empty()) {
        pause = Milliseconds(0);
      } else {
        wait = pause = std::clamp<Milliseconds>(pause * 2, 100ms, 5s);
        log::warn("schedules could not be fired yet", "error", trouble);
      }
      if (!over && wait.count() > 0) co_await changed.wait(wait);
    }
  }

  /// Answers how long nothing more is due.
  awaitable<Milliseconds> fire_due() {
    Timestamp fired_at{};
    const auto fired = co_await store.fire(options.batch, options.patience, &fired_at);
    latest = std::max(latest, fired_at);
    if (fired == options.batch) co_return Milliseconds(0);
    const Outlook outlook = co_await store.outlook();
    if (outlook.now + options.patience < latest) {
      co_await store.draw_back(options.patience);
      latest = outlook.now;
      co_return Milliseconds(0);
    }
    latest = outlook.now;
    const bool is_due = outlook.next_ms && *outlook.next_ms <= 0;
    if (fired > 0 || !is_due) in_the_way = 0ms;
    if (!is_due) {
      co_return outlook.next_ms ? std::min(Milliseconds(*outlook.next_ms), options.poll)
                                : options.poll;
    }
    if (fired > 0) co_return Milliseconds(0);
    // Due, and yet not to be had. Either it has come due since fire() looked: so once more at once.
    // Or another scheduler holds it, as a rule to fire it within milliseconds; of how that ends the
    // database tells nobody, and one that was frozen may hold it for long.
    co_return std::exchange(in_the_way, std::clamp<Milliseconds>(in_the_way * 2, 5ms, 500ms));
  }

  // What other processes, and commands, have changed. When nothing can be heard, looking now and
  // then must do.
  awaitable<void> hear() {
    Listener listener = store.database().listen({std::string(news_channel)});
    while (!over) {
      co_await listener.next();
      changed.notify();
    }
  }

  awaitable<void> keep_history() {
    auto cleared = steady_clock::now() - 1h;
    while (!over) {
      co_await settling.wait(options.settling);
      if (over) co_return;
      std::string trouble;
      try {
        co_await store.settle();
        if (steady_clock::now() - cleared > 1min) {
          cleared = steady_clock::now();
          while (!over && co_await store.prune(options.keep_runs, 1'000) == 1'000) continue;
        }
      } catch (const std::exception& error) {
        trouble = error.what();
      }
      if (!trouble.empty()) log::debug("the history of schedules was not kept", "error", trouble);
    }
  }

  void end() {
    over = true;
    deafen.emit(asio::cancellation_type::terminal);
    changed.notify();
    settling.notify();
  }

  awaitable<void> drain() {
    end();
    while (parts > 0) co_await ended.wait(1h);
  }

  Store store;
  const std::vector<Schedules::Declared> declared;
  const SchedulerOptions options;

  // On the scheduler's own thread only, from here on.
  asio::io_context context{1};
  jobs::Signal changed{context}, settling{context}, ended{context};
  asio::cancellation_signal deafen;  ///< ends hear()
  Timestamp latest{};                ///< the database's time, as far as it was seen
  Milliseconds in_the_way{};         ///< how long to wait when another scheduler holds what is due
  int parts = 0;                     ///< coroutines that have not ended
  bool over = false;
  std::thread thread;
};

Scheduler::Scheduler(Database& database, std::vector<const JobKind*> kinds,
                     std::vector<Schedules::Declared> declared, SchedulerOptions options)
    : impl_(std::make_unique<Impl>(database, std::move(kinds), std::move(declared), options)) {}

Scheduler::~Scheduler() = default;

void Scheduler::start() {
  impl_->start();
}

awaitable<void> Scheduler::drain() {
  if (!impl_->thread.joinable()) co_return;  // never started
  co_await run_on(asio::any_io_executor(impl_->context.get_executor()), impl_->drain());
}

}  // namespace aegis::schedule
