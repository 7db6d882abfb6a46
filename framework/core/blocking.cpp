#include "aegis/core/blocking.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include "core/wakeup.h"

namespace aegis::detail {
namespace {

// Never destroyed: a call that hangs must not hold up the end of the process.
boost::asio::thread_pool& pool() {
  static auto& threads = *new boost::asio::thread_pool(4);
  return threads;
}

}  // namespace

awaitable<void> run_blocking(std::shared_ptr<BlockingCall> call) {
  const auto wakeup = std::make_shared<Wakeup>(co_await boost::asio::this_coro::executor);
  auto work = [call = std::move(call), done = wakeup->handle()]() mutable {
    ::pthread_setname_np(::pthread_self(), "aegis-blocking");
    call->run();
    call.reset();  // so that, as a rule, the caller destroys what it gave
    done.notify();
  };
  boost::asio::post(pool(), std::move(work));
  co_await wakeup->wait();
}

}  // namespace aegis::detail
