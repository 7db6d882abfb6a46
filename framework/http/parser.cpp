#include "http/parser.h"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <cctype>
#include <cstring>
#include <limits>

namespace aegis::http {
namespace {

namespace beast = boost::beast;
using beast::iequals;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

Method method_of(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get:
      return Method::get;
    case beast::http::verb::head:
      return Method::head;
    case beast::http::verb::post:
      return Method::post;
    case beast::http::verb::put:
      return Method::put;
    case beast::http::verb::patch:
      return Method::patch;
    case beast::http::verb::delete_:
      return Method::del;
    case beast::http::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

constexpr bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

template <class Predicate>
constexpr std::array<bool, 256> table_of(Predicate is_in) {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = is_in(static_cast<char>(i));
  return table;
}

bool all_in(const std::array<bool, 256>& table, std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

/// uri-host [":" port], loosely (RFC 3986, section 3.2.2): nothing that could mean another host to
/// somebody else.
bool is_host(std::string_view text) {
  static constexpr auto allowed = table_of([](char c) {
    return is_alphanumeric(c) ||
           std::string_view("-._~!$&'()*+;=:[]%").find(c) != std::string_view::npos;
  });
  return all_in(allowed, text);
}

bool is_sane_request_id(std::string_view text) {
  static constexpr auto allowed =
      table_of([](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
  return !text.empty() && text.size() <= 128 && all_in(allowed, text);
}

bool has_control(std::string_view text) {
  static constexpr auto control = table_of(
      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return control[static_cast<unsigned char>(c)]; });
}

/// Whether a request line ends in a version that is well-formed, yet not 1.0 or 1.1.
bool has_foreign_version(std::string_view input) {
  const std::string_view line = input.substr(0, input.find_first_of("\r\n"));
  if (line.size() < 9) return false;
  const std::string_view version = line.substr(line.size() - 9);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.starts_with(" HTTP/") && is_digit(version[6]) && version[7] == '.' &&
         is_digit(version[8]) && version != " HTTP/1.0" && version != " HTTP/1.1";
}

/// The line "0" of a last chunk and no more than two bytes: Beast asserts that there is more when
/// it looks at such a one for the second time.
bool is_begun_last_chunk(std::string_view rest) {
  const std::size_t line_end = rest.find_first_of("\r\n");
  if (rest.size() >= 5 || line_end == std::string_view::npos) return false;
  const std::size_t size_end = rest.find_first_not_of('0');
  const bool is_zero = size_end > 0 && !std::isxdigit(static_cast<unsigned char>(rest[size_end]));
  return is_zero && (rest[line_end] == '\n' || rest.substr(line_end, 2) == "\r\n");
}

}  // namespace

RequestParser::RequestParser(Request& request, const RequestLimits& limits)
    : request_(request), limits_(limits) {
  // Counted here: Beast's limit counts anew for each piece it is given.
  header_limit(std::numeric_limits<std::uint32_t>::max());
  body_limit(limits.body_bytes);
  request.method = Method::other;
  request.target = request.path = request.query = request.body = {};
  request.headers.clear();
  request.id.clear();
  request.endpoint = nullptr;
  request.path_parameters.clear();
}

RequestParser::State RequestParser::parse(Buffer& input) {
  input_ = &input;
  follow(input);

  // Beast takes a request line that is too short for one that is not all there: it gets whole lines
  // only, or what cannot begin one.
  const bool has_line = !request_.target.empty() ||
                        std::memchr(input.data(), '\n', input.size()) != nullptr ||
                        !beast::http::detail::is_token_char(*input.data());
  if (!has_line) {
    return input.size() <= limits_.header_bytes ? State::in_header
                                                : refused(414, "The request line is too long.");
  }

  while (!is_done() && parsed_ < input.size()) {
    const std::string_view rest{input.data() + parsed_, input.size() - parsed_};
    if (has_header_ && chunked() && is_begun_last_chunk(rest)) break;
    Error error;
    parsed_ += put({rest.data(), rest.size()}, error);
    if (error == beast::http::error::need_more) break;
    if (error) return refused(error);
    if (!has_header_ && is_header_done()) {
      has_header_ = true;
      body_begin_ = parsed_;
      if (!accept_header()) return State::refused;
    }
  }

  if (is_done()) {
    request_.body = {input.data() + body_begin_, body_size_};
    return State::complete;
  }
  if (request_.target.empty()) return refused(400, "The request line is malformed.");
  if (!has_header_) {
    return input.size() <= limits_.header_bytes ? State::in_header
                                                : refused(431, "The header is too long.");
  }
  if (chunked()) {
    if (input.size() - parsed_ > limits_.header_bytes) {
      return refused(431, "A chunk's header or the trailer is too long.");
    }
    const std::size_t body_end = body_begin_ + body_size_;
    input.cut(body_end, parsed_);
    parsed_ = body_end;
  }
  return State::in_body;
}

void RequestParser::on_request_impl(Verb verb, View, View target, int version, Error& error) {
  version_ = version;
  request_.method = method_of(verb);
  if (request_.method == Method::other) {
    return refuse(501, "The method is not implemented.", error);
  }
  if (target.size() > limits_.header_bytes / 2) {
    return refuse(414, "The request target is too long.", error);
  }
  if (!set_target(view(target))) refuse(400, "The request target is malformed.", error);
}

/// RFC 9112, section 3.2: a path, for OPTIONS also `*`, or an absolute URL, of which the path is
/// taken.
bool RequestParser::set_target(std::string_view target) {
  request_.target = target;
  if (target == "*") {
    request_.path = target;
    return request_.method == Method::options;
  }
  std::string_view path = target;
  if (target.front() != '/') {
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return false;
    if (!iequals(target.substr(0, scheme), "http") && !iequals(target.substr(0, scheme), "https")) {
      return false;
    }
    const std::string_view rest = target.substr(scheme + 3);
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    if (end == 0 || !is_host(rest.substr(0, end))) return false;
    path = rest.substr(end);
  }
  const std::size_t question = path.find('?');
  if (question != std::string_view::npos) request_.query = path.substr(question + 1);
  request_.path = path.substr(0, question);
  if (request_.path.empty()) request_.path = target.substr(target.find('/'), 1);  // of "://"
  return true;
}

void RequestParser::on_field_impl(Field field, View beast_name, View beast_value, Error& error) {
  const std::string_view name = view(beast_name);
  const std::string_view value = view(beast_value);
  // Beast joins folded lines, in a buffer of its own or by skipping an empty first one. RFC 9112,
  // section 5.2: they may be refused, and who sends them wants to smuggle something.
  const char* const input_end = input_->data() + input_->size();
  const char* const name_end = name.data() + name.size();
  if (std::less<>{}(value.data(), name_end) || std::less<>{}(input_end, value.data()) ||
      std::find(name_end, value.data(), '\n') != value.data()) {
    return refuse(400, "A header field is folded over lines.", error);
  }
  if (has_header_) return;  // a trailer field: nobody asked for it

  request_.headers.push_back({name, value});
  switch (field) {
    case Field::host:
      ++hosts_;
      if (!is_host(value)) refuse(400, "The Host field is malformed.", error);
      break;
    case Field::transfer_encoding:
      if (!iequals(beast_value, "chunked")) {
        refuse(501, "The only Transfer-Encoding implemented is chunked.", error);
      } else if (version_ == 10) {
        refuse(400, "HTTP/1.0 has no Transfer-Encoding.", error);
      }
      break;
    case Field::expect:
      if (!iequals(beast_value, "100-continue")) {
        refuse(417, "The only expectation that can be met is 100-continue.", error);
      } else {
        expects_continue_ = version_ != 10;
      }
      break;
    case Field::unknown:
      if (name.size() == 12 && request_.id.empty() && iequals(beast_name, "x-request-id") &&
          is_sane_request_id(value)) {
        request_.id = value;
      }
      break;
    default:
      break;
  }
}

bool RequestParser::accept_header() {
  Error ignored;
  if (parsed_ > limits_.header_bytes) {
    refuse(431, "The header is too long.", ignored);
  } else if (hosts_ > 1) {
    refuse(400, "There is more than one Host field.", ignored);
  } else if (hosts_ == 0 && version_ == 11) {
    refuse(400, "The Host field is missing.", ignored);
  }
  return refusal_.detail.empty();
}

std::size_t RequestParser::on_body_impl(View piece, Error&) {
  body_size_ += piece.size();
  return piece.size();
}

void RequestParser::on_chunk_header_impl(std::uint64_t, View extensions, Error& error) {
  // Beast lets a bare line feed pass in a quoted value; others end the line there.
  if (has_control(view(extensions))) error = beast::http::error::bad_chunk_extension;
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, View piece, Error&) {
  std::memmove(input_->data() + body_begin_ + body_size_, piece.data(), piece.size());
  body_size_ += piece.size();
  return piece.size();
}

void RequestParser::refuse(int status, std::string_view detail, Error& error) {
  refusal_ = {status, detail};
  error = beast::http::error::bad_value;
}

RequestParser::State RequestParser::refused(int status, std::string_view detail) {
  refusal_ = {status, detail};
  return State::refused;
}

RequestParser::State RequestParser::refused(Error error) {
  using enum beast::http::error;
  if (!refusal_.detail.empty()) return State::refused;  // ours
  if (error == body_limit) return refused(413, "The body is too large.");
  if (error == header_limit) return refused(431, "The header is too long.");
  if (error == bad_version) {
    return has_foreign_version({input_->data(), input_->size()})
               ? refused(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
               : refused(400, "The request line is malformed.");
  }
  if (error == bad_method || error == bad_target) {
    return refused(400, "The request line is malformed.");
  }
  if (error == bad_content_length || error == multiple_content_length ||
      error == bad_transfer_encoding) {
    return refused(400, "The length of the body is unclear.");
  }
  if (error == bad_chunk || error == bad_chunk_extension) {
    return refused(400, "A chunk of the body is malformed.");
  }
  return refused(400, "A header field is malformed.");
}

void RequestParser::follow(const char* moved_to) {
  const auto move = [&](std::string_view& text) {
    if (!text.empty()) text = {moved_to + (text.data() - base_), text.size()};
  };
  move(request_.target);
  move(request_.path);
  move(request_.query);
  for (Request::Header& header : request_.headers) {
    move(header.name);
    move(header.value);
  }
  base_ = moved_to;
}

}  // namespace aegis::http
