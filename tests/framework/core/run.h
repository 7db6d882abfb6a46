#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
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
  context.run();
  context.restart();
  if (thrown) std::rethrow_exception(thrown);
}
