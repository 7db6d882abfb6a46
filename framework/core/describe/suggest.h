#pragma once

#include <span>
#include <string>
#include <string_view>

namespace aegis::detail {

/// "; did you mean \"name\"?" for the known word that `word` may be a slip of, or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace aegis::detail
