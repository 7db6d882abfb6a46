// expect: cron_day_of_month_is_1_to_31_or_L_or_15W_or_LW_and_exists_in_that_month
// expect: refuse_literal_at_character(5,
#include "aegis/schedule/schedule.h"

constexpr aegis::Cron cron = "0 3 30 FEB *";
