#include "tcp_proxy.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::asio::awaitable;

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct TcpProxy::Impl {
  explicit Impl(int port)
      : target(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)),
        acceptor(context, {asio::ip::address_v4::loopback(), 0}),
        gate(context, asio::steady_timer::time_point::max()),
        thread([this] {
          asio::co_spawn(context, accept(), asio::detached);
          context.run();
        }) {}
  ~Impl() {
    context.stop();
    thread.join();
  }

  awaitable<void> while_silent() {
    while (silent) co_await gate.async_wait(as_tuple);
  }

  awaitable<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(as_tuple);
      if (error) co_return;
      co_await while_silent();
      auto client = std::make_shared<tcp::socket>(std::move(socket));
      auto server = std::make_shared<tcp::socket>(context);
      auto [refused] = co_await server->async_connect(target, as_tuple);
      if (refused) continue;  // which closes the client's
      asio::co_spawn(context, forward(client, server), asio::detached);
      asio::co_spawn(context, forward(server, client), asio::detached);
    }
  }

  awaitable<void> forward(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
    std::array<char, 16384> buffer;
    for (;;) {
      auto [failed, size] = co_await from->async_read_some(asio::buffer(buffer), as_tuple);
      co_await while_silent();
      if (failed) break;
      auto [lost, written] =
          co_await asio::async_write(*to, asio::buffer(buffer.data(), size), as_tuple);
      if (lost) break;
    }
    boost::system::error_code ignored;
    to->shutdown(tcp::socket::shutdown_send, ignored);
    from->close(ignored);
  }

  asio::io_context context{1};
  const tcp::endpoint target;
  tcp::acceptor acceptor;
  asio::steady_timer gate;
  bool silent = false;  // on the thread only
  std::thread thread;
};

TcpProxy::TcpProxy(int port) : impl_(std::make_unique<Impl>(port)) {}
TcpProxy::~TcpProxy() = default;

int TcpProxy::port() const {
  return impl_->acceptor.local_endpoint().port();
}

void TcpProxy::fall_silent() {
  asio::post(impl_->context, [this] { impl_->silent = true; });
}

void TcpProxy::recover() {
  asio::post(impl_->context, [this] {
    impl_->silent = false;
    impl_->gate.cancel();
  });
}
