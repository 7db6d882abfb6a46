// Calls a router without a socket.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <exception>
#include <string>
#include <vector>

#include "aegis/http/router.h"

namespace aegis::testing {

/// What is sent; the texts outlive the call.
struct Sent {
  Method method = Method::get;
  std::string target{};
  std::string body{};
  std::vector<Request::Header> headers{};
  const Services* services = nullptr;
};

inline Request request_of(const Sent& sent) {
  Request request;
  request.method = sent.method;
  request.target = sent.target;
  const std::size_t mark = request.target.find('?');
  request.path = request.target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = request.target.substr(mark + 1);
  request.headers = sent.headers;
  request.body = sent.body;
  request.id = "test-request";
  request.services = sent.services;
  return request;
}

/// Runs `task` to its end.
template <class T>
T run(awaitable<T> task) {
  boost::asio::io_context io{1};
  std::exception_ptr failure;
  std::optional<T> result;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown, T value) {
    failure = thrown;
    result = std::move(value);
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

inline Response handle(const Router& router, const Sent& sent) {
  Request request = request_of(sent);
  return run(router.handle(request));
}
inline Response get(const Router& router, std::string target) {
  return handle(router, {.target = std::move(target)});
}
inline Response post(const Router& router, std::string target, std::string body) {
  return handle(router, {Method::post, std::move(target), std::move(body)});
}

inline boost::json::value json_of(const Response& response) {
  return boost::json::parse(response.body());
}

/// "pointer: detail" of each error of a problem, joined by "; ".
inline std::string errors_of(const Response& response) {
  const auto body = json_of(response);
  std::string all;
  const auto* errors = body.as_object().if_contains("errors");
  if (!errors) return all;
  for (const auto& error : errors->as_array()) {
    if (!all.empty()) all += "; ";
    all += std::string(error.at("pointer").as_string()) + ": " +
           std::string(error.at("detail").as_string());
  }
  return all;
}
inline std::string detail_of(const Response& response) {
  return std::string(json_of(response).at("detail").as_string());
}

}  // namespace aegis::testing
