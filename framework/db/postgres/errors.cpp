#include "db/postgres/errors.h"

#include <fmt/format.h>

#include <cstring>

#include "aegis/core/log.h"

namespace aegis::db::postgres {
namespace {

std::string_view field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text ? text : "";
}

/// What a state of class 22 means; the server's own message may quote the value.
/// (PostgreSQL, appendix A.)
std::string_view misfit(std::string_view state) {
  static constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"22001", "a text is too long for its column"},
      {"22003", "a number is out of range"},
      {"22004", "NULL, where a value is required"},
      {"22007", "a text cannot be read as a date or time"},
      {"22008", "a date or time is out of range"},
      {"22012", "division by zero"},
      {"22021", "a text is no UTF-8, or has a zero byte"},
      {"22023", "a function or a setting does not take it"},
      {"22026", "a bit string has the wrong length"},
      {"2201B", "a text cannot be read as a regular expression"},
      {"2202E", "an array has the wrong dimensions"},
      {"22P02", "a text cannot be read as the type that is wanted"},
      {"22P03", "bytes cannot be read as the type that is wanted"},
      {"22P04", "data for COPY does not have its format"},
      {"22P05", "a character is not in the database's encoding"},
  };
  for (const auto& [code, text] : known) {
    if (state == code) return text;
  }
  return state.starts_with("2203") ? "JSON is not as it is wanted"
                                   : "it is not what a column or a function takes";
}

/// "Key (guild_id, "order")=(1, a) already exists.", in any language → "guild_id", "order".
std::vector<std::string> key_columns(std::string_view detail) {
  const auto open = detail.find('(');
  const auto close = detail.find(")=(");
  if (open == detail.npos || close == detail.npos || close < open) return {};
  std::vector<std::string> columns(1);
  bool quoted = false;
  for (const char c : detail.substr(open + 1, close - open - 1)) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      columns.emplace_back();
    } else if (c != ' ' || quoted) {
      columns.back() += c;
    }
  }
  return columns;
}

std::string taken(const PGresult* result) {
  const std::string_view table = field(result, PG_DIAG_TABLE_NAME);
  std::string names;
  const auto columns = key_columns(field(result, PG_DIAG_MESSAGE_DETAIL));
  for (const std::string& column : columns) {
    names += fmt::format("{}{}.{}", names.empty() ? "" : ", ", table, column);
  }
  if (names.empty()) {
    names = fmt::format("{} ({})", table, field(result, PG_DIAG_CONSTRAINT_NAME));
  }
  return columns.size() > 1 ? fmt::format("{}: these values together are already taken", names)
                            : fmt::format("{}: this value is already taken", names);
}

Errc code_of(std::string_view state) {
  const std::string_view kind = state.substr(0, 2);
  if (state == "23502" || state == "23514") return Errc::invalid;
  if (kind == "23") return Errc::conflict;
  if (kind == "22") return Errc::invalid;
  if (kind == "40") return Errc::try_again;
  if (state == "55P03") return Errc::try_again;
  if (state == "57014") return Errc::timeout;
  if (kind == "08" || kind == "53" || kind == "57" || kind == "58") return Errc::unavailable;
  if (kind == "28" || kind == "3D") return Errc::unavailable;
  if (kind == "54") return Errc::too_large;
  return Errc::internal;
}

/// The SQL is in it only where the code is internal: other messages reach whoever made the request.
std::string describe(const PGresult* result, std::string_view sql, const Config& config) {
  const std::string_view state = field(result, PG_DIAG_SQLSTATE);
  const std::string_view said = field(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string_view table = field(result, PG_DIAG_TABLE_NAME);
  const std::string_view kind = state.substr(0, 2);
  if (state == "23505") return taken(result);
  if (state == "23503") {
    return "a row that is referred to does not exist, or a row to be removed is still referred to "
           "(foreign key)";
  }
  if (state == "23502") {
    return fmt::format("{}.{}: a value is required", table, field(result, PG_DIAG_COLUMN_NAME));
  }
  if (state == "23514") {
    return fmt::format("a value breaks the rule {}", field(result, PG_DIAG_CONSTRAINT_NAME));
  }
  if (kind == "22") {
    return fmt::format("a value does not fit: {} (SQLSTATE {})", misfit(state), state);
  }
  if (kind == "40") {
    return fmt::format(
        "the transaction lost against a concurrent one and was rolled back ({}); "
        "run it again",
        said);
  }
  if (state == "55P03") {
    return fmt::format("a row or table is locked by another transaction ({}); try again", said);
  }
  if (state == "57014") {
    return fmt::format("a statement was cancelled ({}; statement_timeout is {} ms)", said,
                       config.statement_timeout.count());
  }
  if (state == "53300") {
    return fmt::format(
        "the server has no connection free ({}): lower pool_size, end what else "
        "holds connections, or raise the server's max_connections",
        said);
  }
  if (state == "53100") return fmt::format("the server's disk is full ({})", said);
  if (kind == "53") return fmt::format("the server is short of something ({})", said);
  if (kind == "08" || kind == "57")
    return fmt::format("the server ended the connection ({})", said);
  if (kind == "58") return fmt::format("the server has trouble with its files ({})", said);
  if (kind == "54") return fmt::format("a value or a statement is too large ({})", said);
  if (kind == "28" || kind == "3D") {
    return fmt::format("the server refuses the connection's user or database ({})", said);
  }
  if (state == "42501") {
    return fmt::format("{}: GRANT it to the user of DATABASE_URL, in: {}", said, shortened(sql));
  }
  return fmt::format("SQL failed: {}, in: {}", said, shortened(sql));
}

}  // namespace

Failure::Failure(const PGresult* result, std::string_view sql, const Config& config)
    : Error(code_of(field(result, PG_DIAG_SQLSTATE)), describe(result, sql, config)) {
  const std::string_view state = field(result, PG_DIAG_SQLSTATE);
  length_ = std::min(state.size(), sqlstate_.size());
  std::memcpy(sqlstate_.data(), state.data(), length_);
  const std::string_view severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  ends_connection_ = severity == "FATAL" || severity == "PANIC";
}

void log_statement(const Failure& failure, std::string_view sql) {
  if (failure.code() != Errc::invalid && failure.code() != Errc::timeout) return;
  log::info("a statement failed", "sql", shortened(sql), "error", failure.what());
}

Failure lost_connection(std::string_view message) {
  return {
      Errc::unavailable,
      fmt::format("the connection to the database was lost ({})",
                  message.empty() ? "no answer" : one_line(message.substr(0, message.find('\n'))))};
}

ConnectFailure describe_connect_failure(std::string_view message, const Config& config) {
  const std::string said = one_line(message);
  struct Advice {
    std::string_view pattern;
    std::string_view advice;
    bool lasting;
  };
  // The server's messages have a SQLSTATE, which libpq does not tell for a failed connect.
  static constexpr Advice known[] = {
      {"password authentication failed", "check user and password in DATABASE_URL", true},
      {"no password supplied", "DATABASE_URL needs a password", true},
      {"no pg_hba.conf entry", "the server's pg_hba.conf does not let this user in from here",
       true},
      {"role ", "the user in DATABASE_URL does not exist there: CREATE ROLE … LOGIN", true},
      {"database ", "create the database (createdb), or check its name in DATABASE_URL", true},
      {"certificate", "check sslmode, sslrootcert and the server's certificate", true},
      {"SSL error", "check sslmode, sslrootcert and the server's certificate", false},
      {"does not support SSL", "check sslmode in DATABASE_URL", true},
      {"too many c", "lower pool_size, or raise the server's max_connections", false},
      {"remaining connection slots", "lower pool_size, or raise the server's max_connections",
       false},
      {"could not translate host name", "check the host in DATABASE_URL", false},
      {"Connection refused", "check that the server runs, and host and port in DATABASE_URL",
       false},
      {"No such file", "check that the server runs, and the socket's folder in DATABASE_URL",
       false},
      {"timeout expired", "check host and port in DATABASE_URL, and what lies between", false},
  };
  for (const Advice& advice : known) {
    const auto at = said.find(advice.pattern);
    if (at == said.npos) continue;
    // "role "x" does not exist", not any sentence with these words.
    const bool name = advice.pattern == "role " || advice.pattern == "database ";
    if (name && said.find("does not exist", at) == said.npos) continue;
    return {fmt::format("no connection to {}: {}; {}", config.url, said, advice.advice),
            advice.lasting};
  }
  return {fmt::format("no connection to {}: {}", config.url, said), false};
}

Error closed_error() {
  return {Errc::unavailable, "the database is closed"};
}

std::string shortened(std::string_view sql) {
  constexpr std::size_t limit = 300;
  return sql.size() <= limit ? std::string(sql) : fmt::format("{}…", sql.substr(0, limit));
}

}  // namespace aegis::db::postgres
