#pragma once

#include <aegis/aegis.h>

/// Polishes every shield that shows its age. Scheduled: see scheduler/schedules.cpp.
struct PolishShields {
  AEGIS_FIELDS(PolishShields)

  aegis::awaitable<void> run(aegis::JobContext& job);
};
