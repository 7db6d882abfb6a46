#pragma once

#include <boost/asio/awaitable.hpp>

namespace aegis {

/// The coroutine type: Asio's own, so that a handler can await anything built on Asio and
/// cancellation is Asio's. docs/coroutines.md has the rules that keep such code right.
using boost::asio::awaitable;

}  // namespace aegis
