#pragma once

#include <string_view>

namespace aegis {

/// Whether a value under this key (password, API_TOKEN, …) must be shown as `***`.
bool names_a_secret(std::string_view key);

}  // namespace aegis
