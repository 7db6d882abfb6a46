#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aegis::detail {

/// The bytes of the well-formed UTF-8 character that `text`, which is not empty, starts with
/// (Unicode, table 3-7); 0 when there is none.
std::size_t utf8_character(std::string_view text);

struct Utf8Facts {
  bool valid = true;
  std::size_t characters = 0;  ///< Unicode code points
};
Utf8Facts inspect_utf8(std::string_view text);

/// The first `characters` of `text` and an ellipsis, or all of it when it is no longer.
std::string shorten(std::string_view text, std::size_t characters = 64);

}  // namespace aegis::detail
