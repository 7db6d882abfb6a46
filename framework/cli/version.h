#pragma once

#include <array>
#include <string_view>

namespace aegis::cli {

/// Major, minor and patch, which can be compared.
using Version = std::array<int, 3>;

/// "3.25.1"; what cannot be read counts as 0, and a number that is too large as the largest.
Version version_of(std::string_view text);

}  // namespace aegis::cli
