#include "core/dotenv.h"

#include <optional>
#include <utility>

namespace aegis {
namespace {

constexpr std::string_view blanks = " \t";

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool is_key(std::string_view text) {
  if (text.empty() || !is_letter(text.front())) return false;
  for (const char c : text) {
    if (!is_letter(c) && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

void skip_blanks(std::string_view& text) {
  const std::size_t first = text.find_first_not_of(blanks);
  text.remove_prefix(first == text.npos ? text.size() : first);
}

std::string_view without_trailing_blanks(std::string_view text) {
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::optional<char> unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '"':
    case '\\':
    case '$':
      return c;
    default:
      return std::nullopt;
  }
}

// Readers of a value: they answer what is wrong, or nothing.

// Up to a comment, which begins with a # after a blank.
std::string read_plain(std::string_view text, std::string& value) {
  std::size_t end = 0;
  while (end < text.size() && !(text[end] == '#' && end > 0 && is_blank(text[end - 1]))) ++end;
  text = text.substr(0, end);
  skip_blanks(text);
  value = without_trailing_blanks(text);
  return {};
}

// `text` begins with the quote.
std::string read_quoted(std::string_view text, std::string& value) {
  const char quote = text.front();
  std::size_t i = 1;
  for (; i < text.size() && text[i] != quote; ++i) {
    if (quote == '"' && text[i] == '\\') {
      const auto escaped = i + 1 < text.size() ? unescape(text[i + 1]) : std::nullopt;
      if (!escaped) return R"(unknown escape: in double quotes there are \n \r \t \" \\ \$)";
      value += *escaped;
      ++i;
    } else {
      value += text[i];
    }
  }
  if (i == text.size()) return "the closing quote is missing";
  text.remove_prefix(i + 1);
  skip_blanks(text);
  if (!text.empty() && text.front() != '#') return "text after the closing quote";
  return {};
}

std::string read_line(std::string_view line, std::string& key, std::string& value) {
  constexpr std::string_view form = "not of the form KEY=VALUE";
  if (line.find('\0') != line.npos) return "contains the character U+0000";
  constexpr std::string_view prefix = "export";
  if (line.starts_with(prefix) && line.size() > prefix.size() && is_blank(line[prefix.size()])) {
    line.remove_prefix(prefix.size());
    skip_blanks(line);
  }
  const std::size_t equals = line.find('=');
  if (equals == line.npos) return std::string(form);
  key = without_trailing_blanks(line.substr(0, equals));
  if (!is_key(key)) return std::string(form).append(": a key has letters, digits and _");

  const std::string_view after = line.substr(equals + 1);
  std::string_view text = after;
  skip_blanks(text);
  const bool quoted = !text.empty() && (text.front() == '"' || text.front() == '\'');
  return quoted ? read_quoted(text, value) : read_plain(after, value);
}

}  // namespace

Dotenv parse_dotenv(std::string_view text) {
  Dotenv result;
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    skip_blanks(line);
    if (line.empty() || line.front() == '#') continue;
    Dotenv::Entry entry{"", "", number};
    auto problem = read_line(line, entry.key, entry.value);
    if (problem.empty()) {
      result.entries.push_back(std::move(entry));
    } else {
      result.problems.push_back({number, std::move(problem)});
    }
  }
  return result;
}

}  // namespace aegis
