#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "aegis/core/type.h"

namespace aegis::detail {

/// "must be an integer" and the like: what is said to a value of the wrong kind.
std::string_view expectation(Kind kind);

/// "must be between -2147483648 and 2147483647": what is said to an integer that `type` cannot
/// hold.
std::string range_of(const Type& type);

/// As read_text, where an empty text is not null.
std::string read_value(std::string_view text, const Type& type, void* object);

/// Reads a finite number. An empty answer, or what is wrong.
std::string read_real(std::string_view text, double& value);

/// "10s", "500ms", "2m", "1h", "7d". An empty answer, or what is wrong.
std::string read_duration(std::string_view text, std::chrono::milliseconds& value);
/// In the largest unit that leaves no fraction.
std::string write_duration(std::chrono::milliseconds value);

}  // namespace aegis::detail
