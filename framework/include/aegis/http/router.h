#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/http/handler.h"

namespace aegis {

class Router;

/// What runs after a middleware: the next one, at last the handler. For as long as the middleware
/// runs.
class Next {
 public:
  awaitable<Response> operator()(Request& request) const;

 private:
  friend class Router;
  Next(const Router& router, std::size_t position) : router_(&router), position_(position) {}
  const Router* router_;
  std::size_t position_;
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
///
/// A pattern is literal segments, {name} for one segment that is not empty and, last, {name*} for
/// all the rest; a literal goes before a parameter. "/x" and "/x/" are different paths. Segments
/// are percent-decoded after the path was split, so that an encoded slash stays in its segment;
/// {name*} takes no such segment. A path that is badly encoded, or has a segment "." or "..", is
/// answered with 400.
///
/// HEAD is answered by GET; OPTIONS, 404 and 405 by the router.
class Router : public HttpHandler {
 public:
  Router();
  ~Router() override;

  /// Each adds a route. Throws Error(internal), which names the route, when the pattern is bad or
  /// taken, when the handler asks for a path parameter that the pattern lacks, or when an input
  /// cannot be read into the type it has.
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
  const std::vector<std::unique_ptr<const Endpoint>>& endpoints() const;

 private:
  friend class Next;
  template <class F>
  Endpoint& add(Method method, std::string_view path, F handler) {
    return insert(method, path, detail::erase(std::move(handler)));
  }
  Endpoint& insert(Method method, std::string_view path,
                   std::unique_ptr<const detail::Handler> handler);
  awaitable<Response> run_middleware(Request& request) const;
  awaitable<Response> answer(Request& request) const;

  struct Tree;
  std::unique_ptr<Tree> tree_;
};

}  // namespace aegis
