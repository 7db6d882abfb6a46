#pragma once

#include <string>
#include <string_view>

namespace aegis::cli {

/// Whether there are lines, and all of them end with CRLF.
bool has_crlf(std::string_view text);

/// The text with LF for each CRLF.
std::string with_lf(std::string_view text);

/// A text whose lines end with LF with CRLF instead.
std::string with_crlf(std::string_view text);

}  // namespace aegis::cli
