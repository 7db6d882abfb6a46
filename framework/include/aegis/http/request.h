#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aegis/core/error.h"

namespace aegis {

class Services;
struct Endpoint;

/// The methods that the server knows (RFC 9110, RFC 5789); it answers 501 to any `other`.
enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };

/// "GET", "POST", …
std::string_view to_string(Method method);

/// A request. Its texts are views into the connection's buffer: valid until the handler has
/// returned; copy what must live longer.
class Request {
 public:
  struct Header {
    std::string_view name, value;
  };
  struct PathParameter {
    std::string_view name;
    std::string value;  ///< percent-decoded
  };

  Method method = Method::get;
  std::string_view target{};  ///< as sent: path and query
  std::string_view path{};    ///< as sent, without the query; the router decodes segments
  std::string_view query{};   ///< as sent, without the '?'
  std::vector<Header> headers{};
  std::string_view body{};
  std::string id{};         ///< X-Request-Id: the client's when it is sane, else ours
  std::string_view peer{};  ///< the client's address
  const Services* services = nullptr;
  const Endpoint* endpoint = nullptr;  ///< the route that matched, for middleware
  std::vector<PathParameter> path_parameters{};

  /// The first header with this name (in any case); empty when there is none.
  std::string_view header(std::string_view name) const;
  /// Empty when the route has no such parameter.
  std::string_view path_parameter(std::string_view name) const;
};

/// GET, HEAD and OPTIONS: methods that by RFC 9110 change nothing.
inline bool is_safe(Method method) {
  return method == Method::get || method == Method::head || method == Method::options;
}

}  // namespace aegis
