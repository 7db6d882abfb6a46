#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aegis/core/awaitable.h"
#include "aegis/core/error.h"

namespace aegis {

/// A reply. Content-Length, Date, Connection and X-Request-Id are the server's.
class Response {
 public:
  using Header = std::pair<std::string, std::string>;
  /// Gives a body piece by piece, sent chunked: each call answers the next piece, an empty one
  /// ends the body. Called only when the piece before has been taken by the network.
  using Source = std::function<awaitable<std::string>()>;

  Response() = default;
  explicit Response(int status) : status_(status) {}
  Response(int status, std::string body, std::string_view content_type);
  Response(Response&&) = default;
  Response& operator=(Response&&) = default;
  Response(const Response& other);
  Response& operator=(const Response& other) { return *this = Response(other); }

  static Response text(std::string body, int status = 200);
  /// `body` is JSON text.
  static Response json(std::string body, int status = 200);
  static Response chunked(Source source, std::string_view content_type);

  int status() const { return status_; }
  std::string_view content_type() const { return content_type_; }
  const std::string& body() const { return body_; }
  /// Of the body that is sent chunked; null when there is none.
  const Source* source() const;
  /// Those that were set, but for Content-Type.
  std::span<const Header> headers() const;
  /// The first header with this name (in any case); empty when there is none.
  std::string_view header(std::string_view name) const;

  Response& set_status(int status) {
    status_ = status;
    return *this;
  }
  Response& set_body(std::string body, std::string_view content_type);
  /// Replaces headers of that name. Throws Error(internal) when name or value could split the
  /// header (a control character), and for a header that is the server's.
  Response& set_header(std::string_view name, std::string value);

 private:
  /// What few replies have: a reply is moved several times on its way.
  struct Extras;
  struct Delete {
    void operator()(Extras* extras) const;
  };

  void set_content_type(std::string_view type);
  Extras& extras();

  int status_ = 200;
  std::string_view content_type_{};  // a literal, or the extras'
  std::string body_{};
  std::unique_ptr<Extras, Delete> extras_{};
};

/// application/problem+json (RFC 9457): every error reply of the framework.
Response problem(int status, std::string_view detail, const std::vector<FieldError>& errors = {});
/// The reply to an exception: an Error by its code; Errc::internal and anything else is a 500 that
/// says nothing of it.
Response problem(const std::exception& error);

}  // namespace aegis
