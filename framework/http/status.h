#pragma once

#include <string_view>

namespace aegis::http {

/// The reason phrase of a status (RFC 9110, section 15), "Unknown" for one it does not have.
std::string_view reason(int status) noexcept;

}  // namespace aegis::http
