#include "db/sql_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "aegis/core/error.h"
#include "db/sql_scanner.h"

namespace aegis::db {
namespace {

bool is_one_of(const SqlToken& token, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return token.is(word); });
}

bool is_sign(const SqlToken& token, std::string_view sign) {
  return token.kind == SqlToken::Kind::sign && token.text == sign;
}

/// Functions that do something to their connection, to a sequence or to others, although a
/// transaction for reading may call most of them: PostgreSQL's.
bool acts(const SqlToken& token) {
  static constexpr std::string_view names[] = {"PG_ADVISORY_LOCK",
                                               "PG_ADVISORY_LOCK_SHARED",
                                               "PG_ADVISORY_XACT_LOCK",
                                               "PG_ADVISORY_XACT_LOCK_SHARED",
                                               "PG_TRY_ADVISORY_LOCK",
                                               "PG_TRY_ADVISORY_LOCK_SHARED",
                                               "PG_TRY_ADVISORY_XACT_LOCK",
                                               "PG_TRY_ADVISORY_XACT_LOCK_SHARED",
                                               "PG_ADVISORY_UNLOCK",
                                               "PG_ADVISORY_UNLOCK_SHARED",
                                               "PG_ADVISORY_UNLOCK_ALL",
                                               "SET_CONFIG",
                                               "PG_NOTIFY",
                                               "NEXTVAL",
                                               "SETVAL"};
  return std::ranges::any_of(names, [&](std::string_view word) { return token.is(word); });
}

[[noreturn]] void refuse(std::string_view why, std::string_view sql) {
  throw Error(Errc::internal, fmt::format("{} The text: {}", why, sql));
}

}  // namespace

bool writes(std::string_view sql) {
  using enum SqlToken::Kind;
  SqlScanner tokens(sql);
  const SqlToken first = tokens.next();
  if (first.kind == end || is_sign(first, ";")) refuse("This SQL has no statement.", sql);
  if (is_one_of(first,
                {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})) {
    refuse(
        "Transactions are the session's: it begins one by itself; use its commit() and "
        "rollback().",
        sql);
  }
  const bool pragma = first.is("PRAGMA");
  bool writes = !pragma && !is_one_of(first, {"SELECT", "VALUES", "WITH", "EXPLAIN"});
  for (auto token = tokens.next(); token.kind != end; token = tokens.next()) {
    if (is_sign(token, ";")) {
      if (split_statements(sql).size() == 1) continue;  // its end, or in a trigger's body
      refuse("Run one statement at a time; this SQL has more than one.", sql);
    }
    if (pragma ? is_sign(token, "=")
               : is_one_of(token, {"INSERT", "UPDATE", "DELETE", "MERGE", "INTO"}) || acts(token)) {
      writes = true;
    }
  }
  return writes;
}

void refuse_settings(std::string_view sql) {
  SqlScanner tokens(sql);
  const SqlToken first = tokens.next();
  if (is_one_of(first, {"LISTEN", "UNLISTEN"})) {
    refuse("To hear notifications, use Database::listen().", sql);
  }
  const bool sets =
      first.is("SET") && !is_one_of(tokens.next(), {"LOCAL", "CONSTRAINTS", "TRANSACTION"});
  if (sets || first.is("RESET")) {
    refuse(
        "This would reach other sessions, which use the connection later: write SET LOCAL, which "
        "ends with the transaction. What all connections need belongs into DATABASE_URL "
        "(?options=-csetting%3Dvalue), or into ALTER ROLE … SET.",
        sql);
  }
}

std::vector<std::string_view> split_statements(std::string_view sql) {
  std::vector<std::string_view> statements;
  SqlScanner tokens(sql);
  const char* begin = nullptr;  // of the statement; null between two
  bool creates = false;         // only what is created has a body
  int bodies = 0, parentheses = 0;
  const auto close = [&](const char* end) {
    if (begin) statements.emplace_back(begin, static_cast<std::size_t>(end - begin));
    begin = nullptr;
    bodies = parentheses = 0;
  };
  const char* end = sql.data();  // of the last token
  for (auto token = tokens.next(); token.kind != SqlToken::Kind::end; token = tokens.next()) {
    const bool semicolon = is_sign(token, ";");
    if (semicolon && bodies == 0 && parentheses == 0) {
      close(end);
      continue;
    }
    if (!begin) {
      begin = token.text.data();
      creates = token.is("CREATE");
    } else if (creates && parentheses == 0 &&
               (token.is("BEGIN") || (bodies > 0 && token.is("CASE")))) {
      ++bodies;
    } else if (bodies > 0 && token.is("END")) {
      --bodies;
    } else if (is_sign(token, "(")) {
      ++parentheses;
    } else if (is_sign(token, ")")) {
      --parentheses;
    }
    end = token.text.data() + token.text.size();
  }
  close(end);
  return statements;
}

}  // namespace aegis::db
