#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "aegis/core/awaitable.h"

namespace aegis {

/// How a cancellation reaches work on another executor.
struct Cancellation {
  /// Set at once: for work that lets nothing else onto its executor, such as a long statement.
  std::atomic<bool> requested = false;
  boost::asio::cancellation_signal signal{};  ///< emitted on the work's executor
};

/// Runs `work` on another executor and resumes the caller on its own with what it returned or
/// threw. A cancellation of the caller reaches `work` on that executor; the caller waits until
/// `work` has ended, so `work` may refer to the caller's frame and to `cancellation`.
///
/// co_spawn(executor, work, use_awaitable) would do, were it not that Asio in Boost 1.81 hands the
/// other executor a bare pointer to the signal, which is freed when the work ends meanwhile.
template <class T>
awaitable<T> run_on(boost::asio::any_io_executor executor, awaitable<T> work,
                    std::shared_ptr<Cancellation> cancellation = std::make_shared<Cancellation>()) {
  auto token =
      boost::asio::bind_cancellation_slot(cancellation->signal.slot(), boost::asio::use_awaitable);
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  if (auto slot = state.slot(); slot.is_connected()) {
    slot.assign([cancellation, executor](boost::asio::cancellation_type type) {
      cancellation->requested = true;
      boost::asio::post(executor, [cancellation, type] { cancellation->signal.emit(type); });
    });
  }
  co_return co_await boost::asio::co_spawn(executor, std::move(work), std::move(token));
}

}  // namespace aegis
