#include "core/describe/utf8.h"

#include <cstdint>
#include <cstring>

namespace aegis::detail {

std::size_t utf8_character(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto between = [](int value, int low, int high) { return value >= low && value <= high; };
  const auto tail = [&](std::size_t i) { return between(byte(i), 0x80, 0xBF); };

  const int first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;  // a tail, or longer than needed
  if (first < 0xE0) return tail(1) ? 2 : 0;
  if (first < 0xF0) {  // not longer than needed, not a surrogate
    const bool second = between(byte(1), first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && tail(2) ? 3 : 0;
  }
  if (first > 0xF4) return 0;  // beyond U+10FFFF
  const bool second = between(byte(1), first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
  return second && tail(2) && tail(3) ? 4 : 0;
}

Utf8Facts inspect_utf8(std::string_view text) {
  Utf8Facts facts;
  while (!text.empty()) {
    std::uint64_t block = 0;
    if (text.size() >= sizeof block) {  // most text is ASCII: eight at a time
      std::memcpy(&block, text.data(), sizeof block);
      if ((block & 0x8080808080808080) == 0) {
        facts.characters += sizeof block;
        text.remove_prefix(sizeof block);
        continue;
      }
    }
    std::size_t length = utf8_character(text);
    if (length == 0) {
      facts.valid = false;
      length = 1;
    }
    ++facts.characters;
    text.remove_prefix(length);
  }
  return facts;
}

std::string shorten(std::string_view text, std::size_t characters) {
  std::size_t end = 0;
  for (; characters > 0 && end < text.size(); --characters) {
    const std::size_t length = utf8_character(text.substr(end));
    end += length == 0 ? 1 : length;
  }
  std::string start{text.substr(0, end)};
  if (end < text.size()) start += "…";
  return start;
}

}  // namespace aegis::detail
