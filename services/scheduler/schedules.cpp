#include "scheduler/schedules.h"

#include <aegis/app/system_jobs.h>

#include "worker/polish_shields.h"

using namespace aegis;
using namespace std::chrono_literals;

void schedules(Schedules& s) {
  s.cron<PolishShields>("polish-shields", "0 3 * * *").in("Europe/Berlin");
  s.every<SystemStatusCheck>("system-status", 1min).overlap(Overlap::skip);
}
