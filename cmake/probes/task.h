// The smallest awaitable that the probes need: starts when awaited, resumes who awaits it.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

struct promise_base {
  std::coroutine_handle<> waiter;

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct final_awaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      auto waiter = self.promise().waiter;
      return waiter ? waiter : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  final_awaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() { std::terminate(); }
};

template <class T>
struct task {
  struct promise_type : promise_base {
    T value{};
    task get_return_object() { return task{handle::from_promise(*this)}; }
    void return_value(T result) { value = std::move(result); }
  };
  using handle = std::coroutine_handle<promise_type>;

  explicit task(handle coroutine) : coroutine_(coroutine) {}
  task(task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  ~task() {
    if (coroutine_) coroutine_.destroy();
  }

  bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
    coroutine_.promise().waiter = waiter;
    return coroutine_;
  }
  T await_resume() { return std::move(coroutine_.promise().value); }

  // Runs to the end or to a wait that nobody ends; says whether it came to the end.
  bool run() {
    coroutine_.resume();
    return coroutine_.done();
  }

 private:
  handle coroutine_;
};
