#pragma once

#include <string>
#include <string_view>

namespace aegis::cli {

/// What `aegis generate schedule` writes for a timing.
struct SchedulePart {
  /// From "0 3 * * *", "@daily", "every 15m" or "at 2026-12-24 18:00". Throws UsageError.
  explicit SchedulePart(std::string_view timing);

  /// Such as s.cron<<Type>>("<name-of-it>", "0 3 * * *");
  std::string statement{};
  /// So many hours, minutes or seconds, as C++, after which it was due at least once; empty when
  /// that cannot be said, since its moments pass.
  std::string longest_gap{};
};

}  // namespace aegis::cli
