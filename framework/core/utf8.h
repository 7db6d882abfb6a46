#pragma once

#include <cstddef>
#include <string_view>

namespace aegis::utf8 {

inline constexpr char32_t replacement = 0xFFFD;

/// One step of a decoder: the code point and how many bytes it took. Bytes that are not UTF-8 (also
/// overlong forms, surrogates and values above U+10FFFF) give `replacement`, one byte at a time.
struct Decoded {
  char32_t code_point;
  std::size_t length;
  bool valid;
};

/// Decodes the first code point of `text`, which must not be empty. RFC 3629.
constexpr Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  char32_t code_point = lead & (0x7FU >> length);
  bool valid = lead >= 0xC2 && lead <= 0xF4 && text.size() >= length;
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(i) & 0xC0U) == 0x80;
    code_point = (code_point << 6) | (byte(i) & 0x3FU);
  }
  valid = valid && code_point >= least[length] && code_point <= 0x10FFFF &&
          (code_point < 0xD800 || code_point > 0xDFFF);
  return valid ? Decoded{code_point, length, true} : Decoded{replacement, 1, false};
}

}  // namespace aegis::utf8
