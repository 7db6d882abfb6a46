#include "http/failure.h"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "aegis/core/log.h"
#include "aegis/http/endpoint.h"

namespace aegis::http {
namespace {

namespace asio = boost::asio;

Response reply_to(const std::exception& error, const Request& request) {
  Response reply = problem(error);
  if (reply.status() == 500) return server_failure(error.what(), request);
  if (reply.status() > 500) log_failure(reply.status(), error.what(), request);
  return reply;
}

}  // namespace

void log_failure(int status, std::string_view error, const Request& request) {
  log::error("request failed", "status", status, "request_id", request.id, "method",
             to_string(request.method), "route",
             request.endpoint ? std::string_view(request.endpoint->path) : request.path, "error",
             error);
}

Response server_failure(std::string_view error, const Request& request) {
  log_failure(500, error, request);
  return problem(500,
                 "The server failed; its log says why, under the request id " + request.id + ".");
}

awaitable<Response> reply_to_failure(std::exception_ptr failure, const Request& request) {
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    co_return reply_to(error, request);
  } catch (...) {
    co_return reply_to(std::runtime_error("something that is no std::exception"), request);
  }
}

}  // namespace aegis::http
