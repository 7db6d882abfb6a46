#include "aegis/http/router.h"

#include <array>

#include "core/describe/utf8.h"
#include "http/failure.h"
#include "http/route_tree.h"

namespace aegis {

struct Router::Tree {
  http::RouteTree routes;
  std::vector<std::unique_ptr<const Endpoint>> endpoints;
  std::vector<Middleware> middleware;
};

namespace {

/// The methods that a path with routes for `methods` takes, as text.
std::vector<std::string_view> allowed(unsigned methods) {
  const auto has = [&](Method method) {
    return (methods >> static_cast<unsigned>(method) & 1U) != 0;
  };
  std::vector<std::string_view> names;
  for (const Method method : {Method::get, Method::post, Method::put, Method::patch, Method::del}) {
    if (!has(method)) continue;
    names.push_back(to_string(method));
    if (method == Method::get) names.push_back(to_string(Method::head));
  }
  names.push_back(to_string(Method::options));
  return names;
}

std::string join(const std::vector<std::string_view>& names, std::string_view last_separator) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? last_separator : ", ";
    text += names[i];
  }
  return text;
}

/// The reply to a request that no route takes.
Response without_route(const http::RouteTree& routes, const Request& request) {
  const bool asks_for_options = request.method == Method::options;
  if (asks_for_options && request.path == "*") return Response(204);  // RFC 9110, section 9.3.7
  const std::string path = detail::shorten(request.path, 200);
  if (!http::is_readable(request.path)) {
    return problem(400,
                   "The path " + path +
                       " cannot be read: it is badly encoded, or has a segment . or .. in it.");
  }
  const unsigned methods = routes.methods_at(request.path);
  if (methods == 0) return problem(404, "There is nothing at " + path + ".");
  const auto names = allowed(methods);
  Response reply = asks_for_options ? Response(204)
                                    : problem(405, path + " takes " + join(names, " and ") + ".");
  reply.set_header("Allow", join(names, ", "));
  return reply;
}

awaitable<Response> ready(Response response) {
  co_return response;
}

}  // namespace

awaitable<Response> Next::operator()(Request& request) const {
  const auto& middleware = router_->tree_->middleware;
  if (position_ == middleware.size()) return router_->answer(request);
  return middleware[position_](request, Next(*router_, position_ + 1));
}

Router::Router() : tree_(std::make_unique<Tree>()) {}
Router::~Router() = default;

void Router::use(Middleware middleware) {
  tree_->middleware.push_back(std::move(middleware));
}

const std::vector<std::unique_ptr<const Endpoint>>& Router::endpoints() const {
  return tree_->endpoints;
}

Endpoint& Router::insert(Method method, std::string_view path,
                         std::unique_ptr<const detail::Handler> handler) {
  auto endpoint = std::make_unique<Endpoint>(method, path, std::move(handler));
  Endpoint& added = *endpoint;
  tree_->routes.insert(added);
  tree_->endpoints.push_back(std::move(endpoint));
  return added;
}

awaitable<Response> Router::handle(Request& request) const {
  request.endpoint = tree_->routes.find(request);
  return tree_->middleware.empty() ? answer(request) : run_middleware(request);
}

awaitable<Response> Router::run_middleware(Request& request) const {
  std::exception_ptr failure;
  try {
    co_return co_await Next(*this, 0)(request);
  } catch (...) {
    failure = std::current_exception();
  }
  co_return co_await http::reply_to_failure(std::move(failure), request);
}

awaitable<Response> Router::answer(Request& request) const {
  if (request.endpoint) return request.endpoint->answer(request);
  return ready(without_route(tree_->routes, request));
}

}  // namespace aegis
