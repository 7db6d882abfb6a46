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

struct Response::Extras {
  std::string content_type;
  std::vector<Header> headers;
  Source source;
};

void Response::Delete::operator()(Extras* extras) const {
  delete extras;
}

Response::Response(int status, std::string body, std::string_view content_type)
    : status_(status), body_(std::move(body)) {
  set_content_type(content_type);
}

Response::Response(const Response& other) : status_(other.status_), body_(other.body_) {
  if (other.extras_) extras_.reset(new Extras(*other.extras_));
  const bool is_literal = !extras_ || extras_->content_type.empty();
  content_type_ = is_literal ? other.content_type_ : std::string_view(extras_->content_type);
}

Response Response::text(std::string body, int status) {
  Response response(status);
  response.body_ = std::move(body);
  response.content_type_ = "text/plain; charset=utf-8";
  return response;
}

Response Response::json(std::string body, int status) {
  Response response(status);
  response.body_ = std::move(body);
  response.content_type_ = "application/json";
  return response;
}

Response Response::chunked(Source source, std::string_view content_type) {
  Response response;
  response.set_content_type(content_type);
  response.extras().source = std::move(source);
  return response;
}

Response::Extras& Response::extras() {
  if (!extras_) extras_.reset(new Extras);
  return *extras_;
}

void Response::set_content_type(std::string_view type) {
  if (!is_field_value(type)) {
    throw Error(Errc::internal, "A reply's Content-Type holds a control character.");
  }
  content_type_ = extras().content_type = type;
}

const Response::Source* Response::source() const {
  return extras_ && extras_->source ? &extras_->source : nullptr;
}

std::span<const Response::Header> Response::headers() const {
  if (!extras_) return {};
  return extras_->headers;
}

std::string_view Response::header(std::string_view name) const {
  if (iequals(name, "Content-Type")) return content_type();
  for (const auto& [known, value] : headers()) {
    if (iequals(known, name)) return value;
  }
  return {};
}

Response& Response::set_body(std::string body, std::string_view content_type) {
  set_content_type(content_type);
  body_ = std::move(body);
  extras().source = nullptr;
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
  auto& headers = extras().headers;
  std::erase_if(headers, [&](const Header& header) { return iequals(header.first, name); });
  headers.emplace_back(name, std::move(value));
  return *this;
}

}  // namespace aegis
