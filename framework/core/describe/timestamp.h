#pragma once

#include <cstddef>

#include "aegis/core/time.h"

namespace aegis::detail {

/// The length of every timestamp written, "2026-11-21T11:39:40.123456Z".
inline constexpr std::size_t timestamp_size = 27;

/// Writes timestamp_size characters.
void write_timestamp(Timestamp moment, char* out);

}  // namespace aegis::detail
