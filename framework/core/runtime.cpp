#include "aegis/core/runtime.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <exception>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "aegis/core/log.h"

namespace aegis {
namespace {

namespace asio = boost::asio;
using SteadyTime = std::chrono::steady_clock::time_point;

struct Core : asio::io_context {
  Core() : io_context(1) {}  // one thread runs it, others only post

  using execution_context::shutdown;  // destroys what is suspended, before any core itself goes

  asio::executor_work_guard<executor_type> work{get_executor()};
};

struct NamedHook {
  std::string name;
  Runtime::Hook run;
};

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

// Asks no thread and no lock, so that it works when all else hangs; and it is no default action,
// which the kernel withholds from a container's first process.
extern "C" void aegis_end_at_once(int signal) {
  ::_exit(128 + signal);
}

std::string_view signal_name(int signal) {
  return signal == SIGINT ? "SIGINT" : "SIGTERM";
}

}  // namespace

struct Runtime::Impl {
  explicit Impl(RuntimeOptions given) : options(given) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::size_t count = options.threads ? options.threads : available_cores();
    for (std::size_t i = 0; i < count; ++i) cores.push_back(std::make_unique<Core>());
    if (options.handle_signals) await_signal();
  }

  ~Impl() {
    stop();
    for (std::thread& thread : threads) thread.join();
    if (second_signal_ends) {
      std::signal(SIGTERM, SIG_DFL);
      std::signal(SIGINT, SIG_DFL);
    }
    destroy_suspended();
  }

  // While every core still exists, since a coroutine suspended on one may hold what belongs to
  // another. Asio posts a frame to its own core to be destroyed there: hence the second round,
  // also for threads of others, which may have frames of their own.
  void destroy_suspended() {
    for (int round = 0; round < 2; ++round) {
      for (const auto& end_threads : thread_enders) end_threads();
      for (const auto& core : cores) core->shutdown();
    }
  }

  void await_signal() {
    signals.emplace(*cores[0], SIGINT, SIGTERM);
    signals->async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      signals->clear();
      second_signal_ends = true;
      std::signal(SIGTERM, aegis_end_at_once);
      std::signal(SIGINT, aegis_end_at_once);
      log::info("signal received, a second one ends the process at once", "signal",
                signal_name(signal));
      begin_shutdown(0);
    });
  }

  void serve(std::size_t index) {
    for (;;) {
      try {
        cores[index]->run();
        return;
      } catch (...) {
        log::error("an exception escaped a completion handler", "core", index, "error",
                   message_of(std::current_exception()));
      }
    }
  }

  void stop() noexcept {
    for (const auto& core : cores) core->stop();
  }

  void spawn(std::size_t core, awaitable<void> task, std::string name) {
    asio::co_spawn(*cores.at(core), std::move(task),
                   [this, name = std::move(name)](const std::exception_ptr& error) {
                     if (!error) return;
                     const bool expected = draining && is_cancellation(error);
                     log::root().write(expected ? log::Level::debug : log::Level::error,
                                       "a task ended with an exception", "task", name, "error",
                                       message_of(error));
                   });
  }

  void begin_shutdown(int code) {
    if (draining.exchange(true)) return;
    exit_code = code;
    spawn(0, shut_down(), "shutdown");
  }

  awaitable<void> shut_down() {
    const auto began = std::chrono::steady_clock::now();
    const SteadyTime deadline = began + options.shutdown_delay + options.shutdown_timeout;
    log::info("shutting down", "limit", options.shutdown_delay + options.shutdown_timeout);

    std::vector<const NamedHook*> all;
    for (const NamedHook& hook : drain_hooks) all.push_back(&hook);
    co_await run_stage("drain", all, deadline);

    for (auto hook = stop_hooks.rbegin(); hook != stop_hooks.rend(); ++hook) {
      const std::vector<const NamedHook*> one{&*hook};
      // What must be closed gets some time even if those before it took it all.
      const SteadyTime least = std::chrono::steady_clock::now() + options.shutdown_timeout / 5;
      co_await run_stage("stop", one, std::max(deadline, least));
    }

    log::info("stopped", "took", std::chrono::steady_clock::now() - began);
    stop();
  }

  // Hooks that run, and what the one that waits for them waits on. Shared with hooks that outlast
  // it.
  struct Stage {
    explicit Stage(Core& core) : timer(core) {}
    asio::steady_timer timer;
    std::list<const NamedHook*> running;
  };

  static awaitable<void> call(const NamedHook& hook) { co_await hook.run(); }

  awaitable<void> run_stage(std::string_view name, const std::vector<const NamedHook*>& hooks,
                            SteadyTime deadline) {
    const auto stage = std::make_shared<Stage>(*cores[0]);
    stage->timer.expires_at(deadline);
    stage->running.assign(hooks.begin(), hooks.end());
    for (const NamedHook* hook : hooks) {
      asio::co_spawn(*cores[0], call(*hook), [stage, hook, name](const std::exception_ptr& error) {
        if (error) {
          log::error("a shutdown hook failed", "stage", name, "hook", hook->name, "error",
                     message_of(error));
        }
        stage->running.remove(hook);
        if (stage->running.empty()) stage->timer.cancel();
      });
    }
    while (!stage->running.empty() && std::chrono::steady_clock::now() < deadline) {
      co_await stage->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (stage->running.empty()) co_return;
    std::string names;
    for (const NamedHook* hook : stage->running) names += (names.empty() ? "" : ", ") + hook->name;
    log::warn("the shutdown limit passed, what still ran is abandoned", "stage", name,
              "still_running", names);
  }

  // Destroyed last to first: hooks outlive the coroutines made from them (see ~Impl).
  const RuntimeOptions options;
  std::vector<NamedHook> drain_hooks;
  std::vector<NamedHook> stop_hooks;
  std::mutex enders_mutex;
  std::vector<std::function<void()>> thread_enders;
  std::atomic<bool> draining = false;
  std::atomic<int> exit_code = 0;
  std::vector<std::unique_ptr<Core>> cores;
  std::optional<asio::signal_set> signals;
  bool second_signal_ends = false;
  std::vector<std::thread> threads;
};

Runtime::Runtime(RuntimeOptions options) : impl_(std::make_unique<Impl>(options)) {}
Runtime::~Runtime() = default;

std::size_t Runtime::size() const noexcept {
  return impl_->cores.size();
}

asio::any_io_executor Runtime::executor(std::size_t core) const {
  return context(core).get_executor();
}

asio::io_context& Runtime::context(std::size_t core) const {
  return *impl_->cores.at(core);
}

void Runtime::spawn(std::size_t core, awaitable<void> task, std::string name) {
  impl_->spawn(core, std::move(task), std::move(name));
}

void Runtime::on_drain(std::string name, Hook hook) {
  impl_->drain_hooks.push_back({std::move(name), std::move(hook)});
}

void Runtime::on_stop(std::string name, Hook hook) {
  impl_->stop_hooks.push_back({std::move(name), std::move(hook)});
}

void Runtime::before_destruction(std::function<void()> end_threads) {
  const std::lock_guard lock(impl_->enders_mutex);
  impl_->thread_enders.push_back(std::move(end_threads));
}

int Runtime::run() {
  for (std::size_t i = 1; i < size(); ++i) {
    impl_->threads.emplace_back([impl = impl_.get(), i] {
      const std::string name = "aegis-io-" + std::to_string(i);
      ::pthread_setname_np(::pthread_self(), name.c_str());
      impl->serve(i);
    });
  }
  impl_->serve(0);
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
  impl_->destroy_suspended();
  return impl_->exit_code;
}

void Runtime::shutdown(int exit_code) {
  impl_->begin_shutdown(exit_code);
}
void Runtime::stop() noexcept {
  impl_->stop();
}
bool Runtime::draining() const noexcept {
  return impl_->draining.load(std::memory_order_relaxed);
}

}  // namespace aegis
