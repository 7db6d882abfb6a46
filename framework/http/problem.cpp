#include <exception>

#include "aegis/core/json.h"
#include "aegis/http/response.h"
#include "http/status.h"

namespace aegis {
namespace {

int status_of(Errc code) {
  switch (code) {
    case Errc::malformed:
      return 400;
    case Errc::unauthorized:
      return 401;
    case Errc::forbidden:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::conflict:
      return 409;
    case Errc::too_large:
      return 413;
    case Errc::invalid:
      return 422;
    case Errc::rate_limited:
      return 429;
    case Errc::internal:
      return 500;
    case Errc::unavailable:
    case Errc::try_again:
      return 503;
    case Errc::timeout:
    case Errc::unknown_outcome:
      return 504;
  }
  return 500;
}

}  // namespace

Response problem(int status, std::string_view detail, const std::vector<FieldError>& errors) {
  std::string body = R"({"type":"about:blank","title":)";
  append_json(http::reason(status), body);
  body.append(R"(,"status":)").append(std::to_string(status));
  if (!detail.empty()) {
    body += R"(,"detail":)";
    append_json(detail, body);
  }
  if (!errors.empty()) {
    body += R"(,"errors":[)";
    for (const FieldError& error : errors) {
      body += &error == errors.data() ? R"({"pointer":)" : R"(,{"pointer":)";
      append_json(error.pointer, body);
      body += R"(,"detail":)";
      append_json(error.message, body);
      body += '}';
    }
    body += ']';
  }
  body += '}';
  Response response(status, std::move(body), "application/problem+json");
  if (status == 401) response.set_header("WWW-Authenticate", "Bearer");  // RFC 9110, 15.5.2
  return response;
}

Response problem(const std::exception& exception) {
  const auto* error = dynamic_cast<const Error*>(&exception);
  // What our own faults and foreign exceptions say is for the log, not for whoever made the
  // request.
  if (!error || error->code() == Errc::internal) return problem(500, "The server failed.");
  const auto* validation = dynamic_cast<const ValidationError*>(error);
  Response response = problem(status_of(error->code()), error->what(),
                              validation ? validation->fields() : std::vector<FieldError>{});
  const bool retry = error->code() == Errc::unavailable || error->code() == Errc::try_again;
  if (retry) response.set_header("Retry-After", "1");
  return response;
}

}  // namespace aegis
