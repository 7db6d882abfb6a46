#include "http/listener.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "aegis/core/log.h"
#include "http/connection.h"

namespace aegis::http {
namespace {

using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

constexpr int ports_to_try = 100;
/// Clients per core that may be told at the same time that there are too many.
constexpr std::uint64_t most_turned_away = 100;
constexpr std::chrono::milliseconds pause_after_error{100};
constexpr std::chrono::seconds log_interval{1};

[[noreturn]] void throw_unavailable(const ServerOptions& options, std::string_view why) {
  throw Error(Errc::unavailable, "Cannot listen on " + options.host + ":" +
                                     std::to_string(options.port) + ": " + std::string(why));
}

tcp::endpoint resolve(const ServerOptions& options, asio::io_context& context) {
  ErrorCode error;
  const auto address = asio::ip::make_address(options.host, error);
  if (!error) return {address, options.port};
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(options.host, "", error);
  if (error || found.empty()) throw_unavailable(options, "the host is not known.");
  return {found.begin()->endpoint().address(), options.port};
}

}  // namespace

Listener::Listener(std::vector<std::shared_ptr<ServerCore>> cores)
    : cores_(std::move(cores)), acceptor_(cores_[0]->context), pause_(cores_[0]->context) {}

void Listener::bind(const ServerOptions& options) {
  if (options.socket >= 0) return take_over(options.socket);
  tcp::endpoint endpoint = resolve(options, cores_[0]->context);
  ErrorCode error = try_port(endpoint);
  for (int i = 1; error == asio::error::address_in_use && options.next_free_port &&
                  i < ports_to_try && endpoint.port() != 65535;
       ++i) {
    endpoint.port(static_cast<std::uint16_t>(endpoint.port() + 1));
    error = try_port(endpoint);
  }
  if (error == asio::error::address_in_use) {
    throw_unavailable(options, options.next_free_port
                                   ? "this port and those that follow are in use. Set PORT to a "
                                     "free one."
                                   : "the port is in use. Stop the process that has it, or set "
                                     "PORT to another one.");
  }
  if (error == asio::error::access_denied) {
    throw_unavailable(options, "permission denied; ports below 1024 need a privilege.");
  }
  if (error) throw_unavailable(options, error.message());
  port_ = acceptor_.local_endpoint().port();
}

/// It is another process's as well, maybe: closing it here ends nothing there, and who connects
/// meanwhile waits in its queue.
void Listener::take_over(int socket) {
  const auto option = [&](int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  const int family = option(SO_DOMAIN);
  if ((family != AF_INET && family != AF_INET6) || option(SO_TYPE) != SOCK_STREAM ||
      option(SO_ACCEPTCONN) != 1) {
    throw Error(Errc::unavailable, "Cannot listen on the socket that was handed over (" +
                                       std::to_string(socket) +
                                       "): it is no listening TCP socket.");
  }
  acceptor_.assign(family == AF_INET ? tcp::v4() : tcp::v6(), socket);
  acceptor_.non_blocking(true);
  port_ = acceptor_.local_endpoint().port();
}

ErrorCode Listener::try_port(const tcp::endpoint& endpoint) {
  ErrorCode error, ignored;
  acceptor_.close(ignored);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    acceptor_.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor_.non_blocking(true, error);
  return error;
}

awaitable<void> Listener::run() {
  auto logged = std::chrono::steady_clock::time_point::min();
  while (acceptor_.is_open()) {
    auto [error] = co_await acceptor_.async_wait(Acceptor::wait_read, no_throw);
    if (!error) error = accept_all();
    if (!error || !acceptor_.is_open()) continue;
    // Mostly EMFILE, which ends when a connection does; nothing may end the accepting.
    const auto now = std::chrono::steady_clock::now();
    if (now >= logged + log_interval) {
      logged = now;
      log::error("cannot accept connections", "error", error.message());
    }
    pause_.expires_after(pause_after_error);
    co_await pause_.async_wait(no_throw);
  }
}

/// Accepts until nobody waits any more.
ErrorCode Listener::accept_all() {
  for (;;) {
    ServerCore& core = least_loaded();
    ErrorCode error;
    Socket socket = acceptor_.accept(core.context, error);
    if (error == asio::error::would_block) return {};
    if (error == asio::error::connection_aborted || error == asio::error::interrupted) continue;
    if (error) return error;
    hand_over(std::move(socket), core);
  }
}

void Listener::hand_over(Socket socket, ServerCore& core) {
  std::uint64_t open = 0;
  for (const auto& each : cores_) open += each->open.load(std::memory_order_relaxed);
  const bool full = open >= core.options.max_connections;
  (full ? refused : accepted).add();
  std::atomic<std::uint64_t>& count = full ? core.turned_away : core.open;
  if (full && count.load(std::memory_order_relaxed) >= most_turned_away) return;  // just closed
  count.fetch_add(1, std::memory_order_relaxed);

  // Posted for the own core, too: whatever fails there does not end the accepting.
  asio::post(core.context, [serve = full ? &Connection::turn_away : &Connection::serve,
                            shared = core.shared_from_this(), taken = std::move(socket)]() mutable {
    serve(std::move(shared), std::move(taken));
  });
}

ServerCore& Listener::least_loaded() const {
  return **std::min_element(cores_.begin(), cores_.end(), [](const auto& a, const auto& b) {
    return a->open.load(std::memory_order_relaxed) < b->open.load(std::memory_order_relaxed);
  });
}

void Listener::close() {
  ErrorCode ignored;
  if (!acceptor_.is_open()) return;
  accept_all();
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace aegis::http
