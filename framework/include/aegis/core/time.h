#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace aegis {

/// A moment in UTC, to the microsecond: what PostgreSQL can store.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// RFC 3339 in UTC with microseconds, e.g. "2026-11-21T11:39:40.123456Z". Fixed width, so that
/// text order is time order (SQLite stores it so).
std::string to_string(Timestamp moment);

/// Reads RFC 3339 with any offset and 0 to 9 digits of a second's fraction; nothing when the text
/// is not such a moment.
std::optional<Timestamp> parse_timestamp(std::string_view text);

}  // namespace aegis
