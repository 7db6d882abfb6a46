#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/http/bind.h"

namespace aegis {

/// What runs after a middleware: the next one, at last the handler.
class Next {
 public:
  awaitable<Response> operator()(Request& request) const;

 private:
  friend class Router;
  struct Chain;
  const Chain* chain_ = nullptr;
  std::size_t position_ = 0;
};

/// Runs around handlers: `co_return co_await next(request);`, with what it likes before and after.
using Middleware = std::function<awaitable<Response>(Request&, Next)>;

/// Takes whole requests; the server runs it. Never throws but for cancellation.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual awaitable<Response> handle(Request& request) const = 0;
};

/// Finds the handler for a path and a method. Filled before the application starts.
/// A pattern is literal segments, {name} for one segment and, last, {name*} for all the rest;
/// a literal goes before a parameter. HEAD is answered by GET, OPTIONS by the router.
class Router : public HttpHandler {
 public:
  Router();
  ~Router() override;

  /// Each adds a route. Throws Error(internal), which names the route, when the pattern is bad or
  /// taken, or when the handler asks for a path parameter that the pattern lacks.
  template <class F>
  Endpoint& get(std::string_view path, F handler) {
    return add(Method::get, path, std::move(handler));
  }
  template <class F>
  Endpoint& post(std::string_view path, F handler) {
    return add(Method::post, path, std::move(handler));
  }
  template <class F>
  Endpoint& put(std::string_view path, F handler) {
    return add(Method::put, path, std::move(handler));
  }
  template <class F>
  Endpoint& patch(std::string_view path, F handler) {
    return add(Method::patch, path, std::move(handler));
  }
  template <class F>
  Endpoint& del(std::string_view path, F handler) {
    return add(Method::del, path, std::move(handler));
  }

  /// Runs `middleware` around every handler, the first added outermost; also around 404 and 405.
  void use(Middleware middleware);

  awaitable<Response> handle(Request& request) const override;

  /// In order of addition.
  const std::vector<std::unique_ptr<Endpoint>>& endpoints() const;

 private:
  template <class F>
  Endpoint& add(Method method, std::string_view path, F handler) {
    auto endpoint = std::make_unique<Endpoint>();
    endpoint->method = method;
    endpoint->path = path;
    detail::set_handler(*endpoint, std::move(handler));
    return insert(std::move(endpoint));
  }
  Endpoint& insert(std::unique_ptr<Endpoint> endpoint);

  struct Tree;
  std::unique_ptr<Tree> tree_;
};

}  // namespace aegis
