#include "db/sql_scanner.h"

#include <algorithm>

namespace aegis::db {
namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

bool SqlToken::is(std::string_view word) const {
  return kind == Kind::word && std::ranges::equal(text, word, {}, upper);
}

SqlToken SqlScanner::next() {
  skip_blank();
  if (at_ == sql_.size()) return {};
  const std::size_t from = at_;
  const char c = sql_[at_];
  auto kind = SqlToken::Kind::quoted;
  if (c == '\'' || c == '"' || c == '`') {
    skip_quoted(c, false);
  } else if (c == '[' && !follows_value(from)) {
    const auto close = sql_.find(']', at_);
    at_ = close == sql_.npos ? sql_.size() : close + 1;
  } else if (upper(c) == 'E' && peek(1) == '\'') {
    ++at_;
    skip_quoted('\'', true);
  } else if (c == '$') {
    kind = skip_dollar();
  } else if (is_word_char(c)) {
    kind = SqlToken::Kind::word;
    while (at_ < sql_.size() && (is_word_char(sql_[at_]) || sql_[at_] == '$')) ++at_;
  } else {
    kind = SqlToken::Kind::sign;
    ++at_;
  }
  return {kind, sql_.substr(from, at_ - from)};
}

void SqlScanner::skip_blank() {
  while (at_ < sql_.size()) {
    if (is_space(sql_[at_])) {
      ++at_;
    } else if (sql_.substr(at_).starts_with("--")) {
      const auto end = sql_.find('\n', at_);
      at_ = end == sql_.npos ? sql_.size() : end + 1;
    } else if (sql_.substr(at_).starts_with("/*")) {
      int depth = 0;
      do {
        if (sql_.substr(at_).starts_with("/*")) {
          ++depth, at_ += 2;
        } else if (sql_.substr(at_).starts_with("*/")) {
          --depth, at_ += 2;
        } else {
          ++at_;
        }
      } while (depth > 0 && at_ < sql_.size());
    } else {
      return;
    }
  }
}

/// A doubled quote is part of the text.
void SqlScanner::skip_quoted(char quote, bool backslashes) {
  for (++at_; at_ < sql_.size(); ++at_) {
    if (backslashes && sql_[at_] == '\\') {
      ++at_;
    } else if (sql_[at_] == quote) {
      if (peek(1) != quote) break;
      ++at_;
    }
  }
  at_ = std::min(at_ + 1, sql_.size());
}

/// A parameter, $1 or $name, or a text between $$ and $$ or $tag$ and $tag$.
SqlToken::Kind SqlScanner::skip_dollar() {
  const std::size_t from = at_++;
  while (at_ < sql_.size() && is_word_char(sql_[at_])) ++at_;
  const bool parameter = at_ > from + 1 && is_digit(sql_[from + 1]);
  if (parameter || peek(0) != '$') {
    return at_ == from + 1 ? SqlToken::Kind::sign : SqlToken::Kind::word;
  }
  const std::string_view tag = sql_.substr(from, ++at_ - from);
  const auto close = sql_.find(tag, at_);
  at_ = close == sql_.npos ? sql_.size() : close + tag.size();
  return SqlToken::Kind::quoted;
}

/// Whether what stands at `at` comes right behind a value: [ then asks for an element, as in a[1]
/// or ARRAY['x'], and is otherwise a quote of SQLite.
bool SqlScanner::follows_value(std::size_t at) const {
  if (at == 0) return false;
  const char before = sql_[at - 1];
  return is_word_char(before) || before == ']' || before == ')' || before == '[';
}

}  // namespace aegis::db
