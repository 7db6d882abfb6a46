// expect: cron_needs_minute_hour_day_month_weekday_and_may_have_seconds_before_them
#include "aegis/schedule/schedule.h"

struct Tick {
  AEGIS_FIELDS(Tick)
  aegis::awaitable<void> run(aegis::JobContext& job);
};
void schedules(aegis::Schedules& s) {
  s.cron<Tick>("tick", "0 3 * *");
}
