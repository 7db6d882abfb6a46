#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <utility>

#include "aegis/core/awaitable.h"

/// Runs a coroutine to its end on `context` and throws what it throws. Others there may go on
/// later.
inline void run(boost::asio::io_context& context, aegis::awaitable<void> task) {
  std::exception_ptr thrown;
  boost::asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error) {
    thrown = error;
    context.stop();
  });
  // Only now that it has work again: the last of the work before may end on another thread, and
  // running out of it stops the context.
  context.restart();
  context.run();
  if (thrown) std::rethrow_exception(thrown);
}

/// Whether a coroutine ended because it was cancelled.
inline bool was_cancelled(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const boost::system::system_error& thrown) {
    return thrown.code() == boost::asio::error::operation_aborted;
  } catch (...) {
  }
  return false;
}
