// A small service for signal_test: says what happens to it on stdout.
//   signal_process clean | slow | stuck
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <string_view>
#include <thread>

#include "aegis/core/runtime.h"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

void say(const char* what) {
  std::puts(what);
  std::fflush(stdout);
}

aegis::awaitable<void> announce() {
  say("ready");
  co_return;
}

aegis::awaitable<void> sleep(std::chrono::milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  aegis::Runtime runtime({.threads = 2, .shutdown_timeout = mode == "slow" ? 20ms : 60s});
  runtime.on_drain("requests", [&]() -> aegis::awaitable<void> {
    say("draining");
    if (mode == "stuck") {
      for (;;) std::this_thread::sleep_for(1h);  // a fault: it blocks core 0
    }
    co_await sleep(mode == "slow" ? 1h : 1ms);
    say("drained");
  });
  runtime.on_stop("database", [&]() -> aegis::awaitable<void> {
    say("closed");
    co_return;
  });
  runtime.spawn(1, announce());
  runtime.spawn(1, sleep(1h));
  return runtime.run();
}
