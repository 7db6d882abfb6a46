#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "aegis/schedule/cron_text.h"

namespace aegis {

/// A moment by the clock on a wall, wherever that hangs.
using LocalSeconds = std::chrono::local_time<std::chrono::seconds>;

namespace detail {
// None of them is constexpr: a literal that is no cron expression ends in one of these, whose name
// the compiler shows.
void cron_needs_minute_hour_day_month_weekday_and_may_have_seconds_before_them();
void cron_second_is_0_to_59();
void cron_minute_is_0_to_59();
void cron_hour_is_0_to_23();
void cron_day_of_month_is_1_to_31_or_L_or_15W_or_LW_and_exists_in_that_month();
void cron_month_is_1_to_12_or_JAN_to_DEC();
void cron_day_of_week_is_0_to_7_or_SUN_to_SAT_or_5L_or_5_nth_2();
}  // namespace detail

/// When something is due, by the clock on the wall: minute, hour, day of the month, month and day
/// of the week, with seconds before them when there are six fields; or @yearly, @annually,
/// @monthly,
/// @weekly, @daily, @midnight, @hourly.
///
/// A field is a list (1,15) of values, ranges (1-5), steps (*/10, 8-18/2, 5/15) and names (JAN,
/// MON); the day of the month knows L (the last), L-3 (three before it), 15W (the day from Monday
/// to Friday that is nearest to the 15th, in the same month) and LW; the day of the week 7 for
/// Sunday, 5L (the last Friday) and 5#2 (the second one). When neither of the two day fields begins
/// with
/// '*', a day need only be in one of them (POSIX, crontab).
class Cron {
 public:
  /// From a literal: a mistake in it does not compile.
  template <std::size_t N>
  consteval Cron(const char (&literal)[N]) {  // NOLINT: the text is the expression
    const auto problem = detail::CronReader({literal, N - 1}).read(fields_);
    if (problem.what == detail::CronProblem::What::nothing) return;
    refuse_literal_at_character(problem.position, problem);
  }
  /// Throws Error(invalid), which says what is wrong, where, and what is allowed there.
  static Cron parse(std::string_view text);

  /// The first matching moment that is not before `from`; nothing when there is none within 50
  /// years.
  std::optional<LocalSeconds> next(LocalSeconds from) const;

  /// Whether it goes along with the clock (its minute or hour begins with '*'), rather than being
  /// for fixed times of the day: those are due once a day also where clocks are put back.
  bool is_wildcard() const { return fields_.wildcard; }

  constexpr bool operator==(const Cron&) const = default;

 private:
  Cron() = default;

  /// The compiler shows the call: its name, and the character as a number.
  static constexpr void refuse_literal_at_character(std::size_t,
                                                    const detail::CronProblem& problem) {
    using enum detail::CronProblem::What;
    if (problem.what == fields || problem.what == shorthand) {
      detail::cron_needs_minute_hour_day_month_weekday_and_may_have_seconds_before_them();
    }
    if (problem.field == 0) detail::cron_second_is_0_to_59();
    if (problem.field == 1) detail::cron_minute_is_0_to_59();
    if (problem.field == 2) detail::cron_hour_is_0_to_23();
    if (problem.field == 3) {
      detail::cron_day_of_month_is_1_to_31_or_L_or_15W_or_LW_and_exists_in_that_month();
    }
    if (problem.field == 4) detail::cron_month_is_1_to_12_or_JAN_to_DEC();
    detail::cron_day_of_week_is_0_to_7_or_SUN_to_SAT_or_5L_or_5_nth_2();
  }

  detail::CronFields fields_{};
};

}  // namespace aegis
