#include "aegis/schedule/cron.h"

#include <fmt/format.h>

#include <bit>

#include "aegis/core/error.h"

namespace aegis {

using namespace std::chrono;
using detail::CronProblem;

namespace detail {
void cron_needs_minute_hour_day_month_weekday_and_may_have_seconds_before_them() {}
void cron_second_is_0_to_59() {}
void cron_minute_is_0_to_59() {}
void cron_hour_is_0_to_23() {}
void cron_day_of_month_is_1_to_31_or_L_or_15W_or_LW_and_exists_in_that_month() {}
void cron_month_is_1_to_12_or_JAN_to_DEC() {}
void cron_day_of_week_is_0_to_7_or_SUN_to_SAT_or_5L_or_5_nth_2() {}
}  // namespace detail

namespace {

constexpr years looked_ahead{
    50};  // the 29th of February on a Sunday comes once in 40 years at most

std::string message(const CronProblem& problem, std::string_view text) {
  const auto& field = detail::cron_fields[problem.field];
  const auto in_field = [&](std::string_view what) {
    return fmt::format(
        "\"{}\" is no cron expression: the {} \"{}\" (at character {}) {}; allowed: {}", text,
        field.name, problem.item, problem.position, what, field.allowed);
  };
  switch (problem.what) {
    case CronProblem::What::fields:
      return fmt::format(
          "\"{}\" is no cron expression: it needs five fields (minute, hour, day of "
          "the month, month, day of the week) or six, with seconds before them",
          text);
    case CronProblem::What::shorthand:
      return fmt::format(
          "\"{}\" is no cron expression: there are @yearly, @annually, @monthly, "
          "@weekly, @daily, @midnight and @hourly",
          text);
    case CronProblem::What::value:
      return in_field("is out of range");
    case CronProblem::What::backwards:
      return in_field("is a range that goes backwards");
    case CronProblem::What::step:
      return in_field("has a step that is no number from 1 on");
    case CronProblem::What::never:
      return in_field("does not exist in these months");
    default:
      return in_field("cannot be read");
  }
}

/// The lowest bit that is set from `from` on; -1: none.
int next_bit(std::uint64_t bits, int from) {
  const std::uint64_t rest = from > 63 ? 0 : bits >> from << from;
  return rest == 0 ? -1 : std::countr_zero(rest);
}

bool has(std::uint64_t bits, unsigned n) {
  return (bits >> n & 1) != 0;
}

/// The day from Monday to Friday that is nearest to `day`, in the same month.
year_month_day nearest_weekday(year_month_day day) {
  const weekday on{sys_days{day}};
  const year_month_day last{day.year() / day.month() / std::chrono::last};
  if (on == Saturday) {
    return sys_days{day} + (day.day() == std::chrono::day{1} ? days{2} : days{-1});
  }
  if (on == Sunday) return sys_days{day} + (day == last ? days{-2} : days{1});
  return day;
}

bool is_day_of_month(const detail::CronFields& fields, year_month_day day) {
  const unsigned number = unsigned{day.day()};
  const year_month_day last{day.year() / day.month() / std::chrono::last};
  if (has(fields.days, number)) return true;
  if (has(fields.before_last, unsigned{last.day()} - number)) return true;
  if (fields.nearest_weekday == 0) return false;
  if (has(fields.nearest_weekday, 0) && nearest_weekday(last) == day) return true;
  // It can be the nearest one of itself and of two days on either side.
  for (unsigned n = number < 3 ? 1 : number - 2; n <= number + 2 && n <= unsigned{last.day()};
       ++n) {
    if (has(fields.nearest_weekday, n) &&
        nearest_weekday(day.year() / day.month() / std::chrono::day{n}) == day) {
      return true;
    }
  }
  return false;
}

bool is_day_of_week(const detail::CronFields& fields, year_month_day day) {
  const unsigned on = weekday{sys_days{day}}.c_encoding();
  if (has(fields.weekdays, on)) return true;
  const unsigned number = unsigned{day.day()};
  if (has(fields.nth_weekdays[(number + 6) / 7], on)) return true;
  const year_month_day last{day.year() / day.month() / std::chrono::last};
  return has(fields.nth_weekdays[0], on) && unsigned{last.day()} - number < 7;
}

bool is_day(const detail::CronFields& fields, year_month_day day) {
  const bool of_month = is_day_of_month(fields, day), of_week = is_day_of_week(fields, day);
  const bool one_is_enough = !fields.any_day && !fields.any_weekday;
  return one_is_enough ? of_month || of_week : of_month && of_week;
}

/// The first time of a day, as a duration since its midnight, from `from` on.
std::optional<seconds> next_time(const detail::CronFields& fields, seconds from) {
  const hh_mm_ss time(from);
  int hour = static_cast<int>(time.hours().count());
  int minute = static_cast<int>(time.minutes().count());
  int second = next_bit(fields.seconds, static_cast<int>(time.seconds().count()));
  if (second < 0) ++minute;
  const int same_minute = minute;
  minute = next_bit(fields.minutes, minute);
  if (minute < 0) ++hour;
  const int same_hour = hour;
  hour = next_bit(fields.hours, hour);
  if (hour < 0) return std::nullopt;
  if (hour != same_hour || minute < 0) {
    minute = next_bit(fields.minutes, 0);
    second = -1;
  }
  if (minute != same_minute || second < 0) second = next_bit(fields.seconds, 0);
  return hours{hour} + minutes{minute} + seconds{second};
}

}  // namespace

Cron Cron::parse(std::string_view text) {
  Cron cron;
  const CronProblem problem = detail::CronReader(text).read(cron.fields_);
  if (problem.what != CronProblem::What::nothing)
    throw Error(Errc::invalid, message(problem, text));
  return cron;
}

std::optional<LocalSeconds> Cron::next(LocalSeconds from) const {
  local_days day = floor<days>(from);
  seconds time = from - day;
  const year_month_day first{day};
  for (const year_month_day end = first + looked_ahead; year_month_day{day} <= end;
       time = seconds{0}) {
    const year_month_day date{day};
    if (!has(fields_.months, unsigned{date.month()})) {
      day = local_days{(date.year() / date.month() / 1) + months{1}};
      continue;
    }
    if (is_day(fields_, date)) {
      if (const auto found = next_time(fields_, time)) return day + *found;
    }
    day += days{1};
  }
  return std::nullopt;
}

}  // namespace aegis
