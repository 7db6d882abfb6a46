#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aegis::db {

/// A word, a number, a sign, or something in quotes: as it stands in the text.
struct SqlToken {
  enum class Kind : std::uint8_t { end, word, sign, quoted };

  Kind kind = Kind::end;
  std::string_view text{};

  /// `word` is in upper case; what is in quotes is no word.
  bool is(std::string_view word) const;
};

/// Walks over the tokens of SQL, of SQLite's and of PostgreSQL's: quotes of every sort, E'…\'',
/// $tag$ … $tag$, and comments, which PostgreSQL nests. White space and comments are left out.
class SqlScanner {
 public:
  explicit SqlScanner(std::string_view sql) : sql_(sql) {}

  /// Of kind `end` after the last. What is never closed reaches to the end.
  SqlToken next();

 private:
  char peek(std::size_t ahead) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }
  void skip_blank();
  void skip_quoted(char quote, bool backslashes);
  SqlToken::Kind skip_dollar();
  bool follows_value(std::size_t at) const;

  std::string_view sql_;
  std::size_t at_ = 0;
};

}  // namespace aegis::db
