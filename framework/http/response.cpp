#include "aegis/http/response.h"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>

namespace aegis {
namespace {

using boost::beast::iequals;

constexpr std::array<std::string_view, 5> server_headers{"Content-Length", "Transfer-Encoding",
                                                         "Connection", "Date", "X-Request-Id"};

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return boost::beast::http::detail::is_token_char(c);
  });
}

/// What a field value may hold (RFC 9110, section 5.5).
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t';
  });
}

}  // namespace

Response::Response(int status, std::string body, std::string_view content_type)
    : status_(status), body_(std::move(body)) {
  set_content_type(content_type);
}

Response Response::chunked(Source source, std::string_view content_type) {
  Response response;
  response.set_content_type(content_type);
  response.source_ = std::move(source);
  return response;
}

void Response::set_content_type(std::string_view type) {
  static constexpr std::array<std::string_view, 3> common{
      "application/json", "text/plain; charset=utf-8", "application/problem+json"};
  common_type_ = {};
  other_type_.clear();
  for (const std::string_view known : common) {
    if (type == known) {
      common_type_ = known;
      return;
    }
  }
  if (!is_field_value(type)) {
    throw Error(Errc::internal, "A reply's Content-Type holds a control character.");
  }
  other_type_ = type;
}

std::string_view Response::header(std::string_view name) const {
  if (iequals(name, "Content-Type")) return content_type();
  for (const auto& [known, value] : headers_) {
    if (iequals(known, name)) return value;
  }
  return {};
}

Response& Response::set_body(std::string body, std::string_view content_type) {
  set_content_type(content_type);
  body_ = std::move(body);
  source_ = nullptr;
  return *this;
}

Response& Response::set_header(std::string_view name, std::string value) {
  if (!is_token(name)) {
    throw Error(Errc::internal,
                "A reply's header cannot have this name: it is empty or holds a "
                "character that names may not have.");
  }
  if (!is_field_value(value)) {
    throw Error(Errc::internal,
                "A reply's header " + std::string(name) + " holds a control character.");
  }
  if (iequals(name, "Content-Type")) {
    set_content_type(value);
    return *this;
  }
  for (const std::string_view own : server_headers) {
    if (iequals(name, own)) {
      throw Error(Errc::internal, "A reply's header " + std::string(own) +
                                      " is set by the server, not by handlers.");
    }
  }
  std::erase_if(headers_, [&](const auto& header) { return iequals(header.first, name); });
  headers_.emplace_back(name, std::move(value));
  return *this;
}

}  // namespace aegis
