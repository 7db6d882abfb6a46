#include "aegis/http/request.h"

#include <boost/beast/core/string.hpp>

namespace aegis {

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "OTHER";
}

std::string_view Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (boost::beast::iequals(header.name, name)) return header.value;
  }
  return {};
}

std::string_view Request::path_parameter(std::string_view name) const {
  for (const PathParameter& parameter : path_parameters) {
    if (parameter.name == name) return parameter.value;
  }
  return {};
}

}  // namespace aegis
