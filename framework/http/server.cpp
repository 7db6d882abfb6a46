#include "aegis/http/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "aegis/core/runtime.h"
#include "http/listener.h"

namespace aegis {

namespace asio = boost::asio;

struct Server::Impl {
  Impl(Runtime& server_runtime, ServerOptions server_options, const HttpHandler& handler,
       const Services& services)
      : runtime(server_runtime), options(std::move(server_options)) {
    const std::size_t share = std::max<std::size_t>(1, options.max_in_flight / runtime.size());
    for (std::size_t i = 0; i < runtime.size(); ++i) {
      cores.push_back(std::make_shared<http::ServerCore>(runtime.context(i), options, share,
                                                         handler, services));
    }
    listener = std::make_shared<http::Listener>(cores);
  }

  Runtime& runtime;
  const ServerOptions options;
  // Shared with what still runs on the cores.
  std::vector<std::shared_ptr<http::ServerCore>> cores;
  std::shared_ptr<http::Listener> listener;
};

namespace {

awaitable<void> accept(std::shared_ptr<http::Listener> listener) {
  co_await listener->run();
}

awaitable<void> stop_listening(std::shared_ptr<http::Listener> listener) {
  listener->close();
  co_return;
}

awaitable<void> drained(std::shared_ptr<http::ServerCore> core) {
  co_await core->drain();
}

}  // namespace

Server::Server(Runtime& runtime, ServerOptions options, const HttpHandler& handler,
               const Services& services)
    : impl_(std::make_unique<Impl>(runtime, std::move(options), handler, services)) {}

Server::~Server() {
  asio::post(impl_->cores[0]->context, [listener = impl_->listener] { listener->close(); });
  for (const auto& core : impl_->cores) {
    asio::post(core->context, [core] { core->stop(); });
  }
}

void Server::start() {
  impl_->listener->bind(impl_->options);
  impl_->runtime.spawn(0, accept(impl_->listener), "accept");
}

std::uint16_t Server::port() const {
  return impl_->listener->port();
}

ServerStats Server::stats() const {
  ServerStats stats;
  stats.connections_accepted = impl_->listener->accepted.get();
  stats.connections_refused = impl_->listener->refused.get();
  for (const auto& core : impl_->cores) {
    stats.connections_open += core->open.load(std::memory_order_relaxed);
    stats.requests += core->requests.get();
    stats.in_flight += core->in_flight.get();
    stats.server_errors += core->server_errors.get();
    stats.timeouts += core->timeouts.get();
  }
  return stats;
}

awaitable<void> Server::drain(std::chrono::milliseconds delay) {
  const auto cores = impl_->cores;
  const auto listener = impl_->listener;
  if (delay.count() > 0) {
    for (const auto& core : cores) asio::post(core->context, [core] { core->begin_leaving(); });
    http::Timer timer(cores[0]->context, delay);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  // First the listener: whoever it hands to another core is in that core's queue before what
  // follows.
  co_await asio::co_spawn(cores[0]->context, stop_listening(listener), asio::use_awaitable);
  for (const auto& core : cores) asio::post(core->context, [core] { core->begin_drain(); });
  for (const auto& core : cores) {
    co_await asio::co_spawn(core->context, drained(core), asio::use_awaitable);
  }
}

}  // namespace aegis
