// expect: cron_hour_is_0_to_23
// expect: refuse_literal_at_character(3,
#include "aegis/schedule/schedule.h"

constexpr aegis::Cron cron = "0 25 * * *";
