#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aegis {

/// The content of a .env file.
struct Dotenv {
  struct Entry {
    std::string key, value;
    std::size_t line;
  };
  struct Problem {
    std::size_t line;
    std::string message;  ///< never shows the line itself: it may hold a secret
  };

  std::vector<Entry> entries{};     ///< in order; a key may come twice
  std::vector<Problem> problems{};  ///< lines that could not be read
};

/// Reads lines of
///
///   # comment
///   [export ]KEY=plain value # comment
///   KEY='literal: no escapes'
///   KEY="escapes: \n \r \t \" \\ \$"
///
/// Nothing is expanded or executed: `$` and backquotes stand for themselves.
Dotenv parse_dotenv(std::string_view text);

}  // namespace aegis
