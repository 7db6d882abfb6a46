#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace aegis {

/// What kind of failure an Error is. The HTTP room maps each to a status; a job decides from it
/// whether to try again.
enum class Errc : std::uint8_t {
  malformed,        ///< the input cannot be read at all (400)
  unauthorized,     ///< no valid credentials (401)
  forbidden,        ///< valid credentials, not allowed (403)
  not_found,        ///< the thing asked for does not exist (404)
  conflict,         ///< contradicts what is stored, e.g. a unique value taken (409)
  too_large,        ///< over a size limit (413)
  invalid,          ///< readable, but breaks a rule (422)
  rate_limited,     ///< too many requests (429)
  internal,         ///< a fault of ours (500); its message is for the log only
  unavailable,      ///< something needed is down or full; try again later (503)
  timeout,          ///< took longer than allowed (504)
  try_again,        ///< lost against somebody else at the same time; nothing was done (503)
  unknown_outcome,  ///< whether it was done is not known: look before trying again (504)
};

/// The short name of a kind, e.g. "not_found".
std::string_view to_string(Errc code);

/// The framework's exception. Its message says what happened, with which value, and what to do,
/// and is shown to whoever made the request, unless its kind is internal: it never holds a secret.
class Error : public std::runtime_error {
 public:
  Error(Errc code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Errc code() const noexcept { return code_; }

 private:
  Errc code_;
};

/// One rule that one field of an input breaks.
struct FieldError {
  std::string pointer;  ///< where: a JSON Pointer (RFC 6901), e.g. "/name"
  std::string message;  ///< what is wrong, e.g. "must be at most 100"
};

/// An input that breaks one or more rules; names every bad field.
class ValidationError : public Error {
 public:
  explicit ValidationError(std::vector<FieldError> fields);
  const std::vector<FieldError>& fields() const noexcept { return fields_; }

 private:
  std::vector<FieldError> fields_;
};

}  // namespace aegis
