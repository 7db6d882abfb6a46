#include "aegis/core/error.h"

#include <utility>

namespace aegis {
namespace {

/// For a person who reads a log line; a program reads fields().
std::string list(const std::vector<FieldError>& fields) {
  constexpr std::size_t shown = 10;
  std::string text = "invalid input";
  for (std::size_t i = 0; i < fields.size() && i < shown; ++i) {
    text += i == 0 ? ": " : "; ";
    if (!fields[i].pointer.empty()) text += fields[i].pointer + ": ";
    text += fields[i].message;
  }
  if (fields.size() > shown) text += "; and " + std::to_string(fields.size() - shown) + " more";
  return text;
}

}  // namespace

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::malformed:
      return "malformed";
    case Errc::unauthorized:
      return "unauthorized";
    case Errc::forbidden:
      return "forbidden";
    case Errc::not_found:
      return "not_found";
    case Errc::conflict:
      return "conflict";
    case Errc::too_large:
      return "too_large";
    case Errc::invalid:
      return "invalid";
    case Errc::rate_limited:
      return "rate_limited";
    case Errc::internal:
      return "internal";
    case Errc::unavailable:
      return "unavailable";
    case Errc::timeout:
      return "timeout";
    case Errc::try_again:
      return "try_again";
    case Errc::unknown_outcome:
      return "unknown_outcome";
  }
  return "internal";
}

ValidationError::ValidationError(std::vector<FieldError> fields)
    : Error(Errc::invalid, list(fields)), fields_(std::move(fields)) {}

}  // namespace aegis
