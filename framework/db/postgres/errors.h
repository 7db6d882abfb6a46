#pragma once

#include <array>
#include <string>
#include <string_view>

#include "aegis/core/error.h"
#include "db/postgres/config.h"
#include "db/postgres/libpq.h"

namespace aegis::db::postgres {

/// What the server reports, as an Error that says what happened and what to do. Values of the
/// statement are not in it, and its SQL only when the code is internal.
class Failure : public Error {
 public:
  Failure(const PGresult* result, std::string_view sql, const Config& config);
  Failure(Errc code, const std::string& message) : Error(code, message) {}

  /// Five characters; empty when it is not the server that failed.
  std::string_view sqlstate() const { return {sqlstate_.data(), length_}; }
  bool is(std::string_view state) const { return sqlstate() == state; }
  /// The server ends the connection with it.
  bool ends_connection() const { return ends_connection_; }

 private:
  std::array<char, 5> sqlstate_{};
  std::size_t length_ = 0;
  bool ends_connection_ = false;
};

/// Tells the log which statement it was, where the message does not and a look at it may help.
void log_statement(const Failure& failure, std::string_view sql);

/// The connection broke: `message` is libpq's.
Failure lost_connection(std::string_view message);

/// Why no connection could be made. `message` is libpq's, which never holds the password.
struct ConnectFailure {
  std::string message;
  bool lasting = false;  ///< a wrong password, say: trying again does not help
};
ConnectFailure describe_connect_failure(std::string_view message, const Config& config);

/// What work after close() is told.
Error closed_error();

/// For messages: SQL of some hundred bytes at most.
std::string shortened(std::string_view sql);

}  // namespace aegis::db::postgres
