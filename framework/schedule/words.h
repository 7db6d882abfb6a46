#pragma once

#include <array>
#include <string_view>

#include "aegis/schedule/schedule.h"

/// What the database calls things.
namespace aegis::schedule {

inline std::string_view to_text(CatchUp what) {
  constexpr std::array<std::string_view, 3> names{"skip", "once", "all"};
  return names.at(static_cast<std::size_t>(what));
}
inline std::string_view to_text(Overlap what) {
  constexpr std::array<std::string_view, 3> names{"allow", "skip", "queue"};
  return names.at(static_cast<std::size_t>(what));
}

/// By which its jobs can be found.
inline std::string tag_of(std::string_view schedule) {
  return "schedule:" + std::string(schedule);
}

/// How a run came about.
inline constexpr std::string_view on_time = "on time", caught_up = "catch-up", by_hand = "by hand";

/// Where a change of schedules notifies schedulers (Session::notify).
inline constexpr std::string_view news_channel = "aegis_schedules";

}  // namespace aegis::schedule
