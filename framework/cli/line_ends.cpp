#include "cli/line_ends.h"

namespace aegis::cli {

bool has_crlf(std::string_view text) {
  auto end = text.find('\n');
  if (end == text.npos) return false;
  for (; end != text.npos; end = text.find('\n', end + 1)) {
    if (end == 0 || text[end - 1] != '\r') return false;
  }
  return true;
}

std::string with_lf(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) != "\r\n") out += text[i];
  }
  return out;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

}  // namespace aegis::cli
