#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <string_view>

#include "aegis/http/request.h"
#include "http/buffer.h"

namespace aegis::http {

struct RequestLimits {
  std::size_t header_bytes;  ///< request line and fields; the target may be half of it
  std::size_t body_bytes;
};

/// Why a request is not served. The connection ends: where the next request begins is unknown.
struct Refusal {
  int status = 400;
  std::string_view detail{};  ///< a literal
};

/// Parses one request into views of the connection's input. Beast does the syntax; what it lets
/// through and RFC 9112 wants refused is added here: folded lines, an unclear body length, a
/// missing or doubtful Host.
class RequestParser : private boost::beast::http::basic_parser<true> {
 public:
  enum class State { in_header, in_body, complete, refused };

  /// `request` is made empty, and filled while parsing; it keeps its memory.
  RequestParser(Request& request, const RequestLimits& limits);

  /// Parses on. `input` is not empty and begins with the request's first byte; the body of a
  /// chunked request is put together in place. The views follow when the input has moved since the
  /// last call.
  State parse(Buffer& input);
  /// The input may have moved: the request's texts do so with it.
  void follow(Buffer& input) {
    if (base_ != input.data()) follow(input.data());
  }

  /// How much of the input a complete request takes.
  std::size_t size() const noexcept { return parsed_; }
  const Refusal& refusal() const noexcept { return refusal_; }
  bool has_header() const noexcept { return has_header_; }
  /// The following need the header.
  using basic_parser::keep_alive;
  bool is_http_1_0() const noexcept { return version_ == 10; }
  /// The client waits for a 100 before it sends the body.
  bool expects_continue() const noexcept { return expects_continue_ && body_size_ == 0; }

 private:
  using Error = boost::beast::error_code;
  using Field = boost::beast::http::field;
  using Verb = boost::beast::http::verb;
  using View = boost::beast::string_view;

  void on_request_impl(Verb verb, View method, View target, int version, Error& error) override;
  void on_response_impl(int, View, int, Error&) override {}
  void on_field_impl(Field field, View name, View value, Error& error) override;
  void on_header_impl(Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(View piece, Error& error) override;
  void on_chunk_header_impl(std::uint64_t size, View extensions, Error& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t rest, View piece, Error& error) override;
  void on_finish_impl(Error&) override {}

  void refuse(int status, std::string_view detail, Error& error);
  State refused(int status, std::string_view detail);
  State refused(Error error);
  /// What can be said once all fields are known; false: refused.
  bool accept_header();
  bool set_target(std::string_view target);
  void follow(const char* moved_to);

  Request& request_;
  const RequestLimits& limits_;
  Buffer* input_ = nullptr;
  const char* base_ = nullptr;  // where the request began at the last call
  std::size_t parsed_ = 0;
  std::size_t body_begin_ = 0;
  std::size_t body_size_ = 0;
  int version_ = 0;
  unsigned hosts_ = 0;
  bool has_header_ = false;
  bool expects_continue_ = false;
  Refusal refusal_{};
};

}  // namespace aegis::http
