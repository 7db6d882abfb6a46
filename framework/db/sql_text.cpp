#include "db/sql_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "aegis/core/error.h"

namespace aegis::db {
namespace {

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Walks over words and signs; leaves out white space, comments and everything in quotes.
class Scanner {
 public:
  explicit Scanner(std::string_view sql) : rest_(sql) {}

  /// The next word or sign; empty at the end. What was quoted comes as its opening quote.
  std::string_view next() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == ' ' || (c >= '\t' && c <= '\r')) {
        rest_.remove_prefix(1);
      } else if (rest_.starts_with("--")) {
        skip_past("\n", 2);
      } else if (rest_.starts_with("/*")) {
        skip_past("*/", 2);
      } else if (is_word_char(c)) {
        const auto end = std::ranges::find_if_not(rest_, is_word_char);
        return take(static_cast<std::size_t>(end - rest_.begin()));
      } else if (c == '$') {
        return dollar();
      } else {
        const std::string_view sign = rest_.substr(0, 1);
        switch (c) {
          case '\'':
          case '"':
          case '`':
            skip_past(sign, 1);
            break;  // a doubled quote opens the next one at once
          case '[':
            skip_past("]", 1);
            break;
          default:
            rest_.remove_prefix(1);
        }
        return sign;
      }
    }
    return {};
  }

 private:
  std::string_view take(std::size_t size) {
    const auto word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word;
  }
  void skip_past(std::string_view end, std::size_t from) {
    const auto at = rest_.find(end, from);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
  }
  /// A parameter, $1, or PostgreSQL's quotes, $$ … $$ and $tag$ … $tag$.
  std::string_view dollar() {
    const auto tag_end = std::find_if_not(rest_.begin() + 1, rest_.end(), is_word_char);
    const auto size = static_cast<std::size_t>(tag_end - rest_.begin());
    const bool parameter = size > 1 && rest_[1] >= '0' && rest_[1] <= '9';
    if (parameter || size == rest_.size() || rest_[size] != '$') return take(size);
    const std::string_view tag = rest_.substr(0, size + 1);
    skip_past(tag, tag.size());
    return tag;
  }

  std::string_view rest_;
};

/// `words` are in upper case.
bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [word](std::string_view candidate) {
    return std::ranges::equal(word, candidate, {},
                              [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; });
  });
}

[[noreturn]] void refuse(std::string_view why, std::string_view sql) {
  throw Error(Errc::internal, fmt::format("{} The text: {}", why, sql));
}

}  // namespace

bool writes(std::string_view sql) {
  Scanner words(sql);
  const std::string_view first = words.next();
  if (first.empty() || first == ";") refuse("This SQL has no statement.", sql);
  if (is_one_of(first,
                {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})) {
    refuse(
        "Transactions are the session's: it begins one by itself; use its commit() and "
        "rollback().",
        sql);
  }
  const bool pragma = is_one_of(first, {"PRAGMA"});
  bool writes = !pragma && !is_one_of(first, {"SELECT", "VALUES", "WITH", "EXPLAIN"});
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    if (word == ";") {
      for (auto more = words.next(); !more.empty(); more = words.next()) {
        if (more != ";") refuse("Run one statement at a time; this SQL has more than one.", sql);
      }
      break;
    }
    if (pragma ? word == "=" : is_one_of(word, {"INSERT", "UPDATE", "DELETE", "MERGE", "INTO"})) {
      writes = true;
    }
  }
  return writes;
}

}  // namespace aegis::db
