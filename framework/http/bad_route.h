#pragma once

#include <string>

#include "aegis/http/endpoint.h"

namespace aegis::http {

/// "GET /shields/{id}"
inline std::string name_of(const Endpoint& endpoint) {
  return std::string(to_string(endpoint.method)) + " " + endpoint.path;
}

/// A fault in a route, found at the start.
[[noreturn]] inline void bad_route(const Endpoint& endpoint, const std::string& why) {
  throw Error(Errc::internal, name_of(endpoint) + ": " + why);
}

}  // namespace aegis::http
