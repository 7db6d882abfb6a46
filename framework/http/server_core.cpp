#include "http/server_core.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "aegis/core/log.h"
#include "http/reply_head.h"

namespace aegis::http {

ServerCore::ServerCore(asio::io_context& io, const ServerOptions& server_options,
                       std::size_t in_flight_share, const HttpHandler& request_handler,
                       const Services& known_services)
    : context(io),
      options(server_options),
      limits{server_options.max_header_bytes, server_options.max_body_bytes},
      max_in_flight(in_flight_share),
      handler(request_handler),
      services(known_services),
      sweep_timer_(io),
      empty_(io, Timer::time_point::max()) {}

void ServerCore::add(Swept& connection) {
  connections_.push_back(connection);
  if (sweeping_) return;
  sweeping_ = true;
  sweep();  // sets the date
  keep_sweeping();
}

void ServerCore::removed() {
  if (connections_.empty()) empty_.cancel();
}

void ServerCore::keep_sweeping() {
  sweep_timer_.expires_after(sweep_interval);
  sweep_timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error) return;
    self->sweep();
    if (self->connections_.empty()) {
      self->sweeping_ = false;  // an idle process sleeps
    } else {
      self->keep_sweeping();
    }
  });
}

void ServerCore::sweep() {
  ++tick_;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (now != date_) {
    date_ = now;
    date_line_ = http::date_line(now);
  }
  for (auto connection = connections_.begin(); connection != connections_.end();) {
    (connection++)->sweep();
  }
}

void ServerCore::log_overload(std::string_view message) {
  if (tick_ < next_overload_log_) return;
  next_overload_log_ = after(std::chrono::seconds(1));
  log::warn(message, "max_in_flight", options.max_in_flight, "max_connections",
            options.max_connections);
}

void ServerCore::begin_drain() {
  draining_ = true;
  for (auto connection = connections_.begin(); connection != connections_.end();) {
    (connection++)->begin_drain();
  }
}

awaitable<void> ServerCore::drain() {
  while (!connections_.empty()) {
    co_await empty_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void ServerCore::stop() {
  draining_ = true;
  for (auto connection = connections_.begin(); connection != connections_.end();) {
    (connection++)->stop();
  }
}

}  // namespace aegis::http
