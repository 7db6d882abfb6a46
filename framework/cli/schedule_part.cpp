#include "cli/schedule_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "aegis/core/error.h"
#include "aegis/schedule/trigger.h"
#include "cli/usage_error.h"
#include "core/describe/text.h"

namespace aegis::cli {

using namespace std::chrono;

namespace {

constexpr std::string_view every = "every ", at = "at ", from_start = " from start";

Trigger read(std::string_view timing) {
  try {
    return Trigger::parse(timing);
  } catch (const Error& error) {
    std::string what = error.what();
    if (what.ends_with('.')) what.pop_back();
    throw UsageError(what,
                     "Such as \"0 3 * * *\", \"@daily\", \"every 15m\", \"at 2026-12-24 18:00\".");
  }
}

/// In the largest unit that has no rest: "std::chrono::minutes(15)".
std::string in_cpp(seconds period) {
  const auto count = period.count();
  if (count % 3600 == 0) return fmt::format("std::chrono::hours({})", count / 3600);
  if (count % 60 == 0) return fmt::format("std::chrono::minutes({})", count / 60);
  return fmt::format("std::chrono::seconds({})", count);
}

/// The longest time between two of the next slots. Throws UsageError when there is none.
seconds longest_gap_of(const Trigger& trigger, std::string_view timing) {
  constexpr int slots = 100;
  const Zone utc("UTC");
  const auto now = floor<seconds>(system_clock::now());
  auto before = now;
  seconds longest{};
  for (int i = 0; i < slots; ++i) {
    const auto next = trigger.next(utc, now, before);
    if (!next) break;
    longest = std::max(longest, *next - before);
    before = *next;
  }
  if (longest > 0s) return longest;
  throw UsageError(fmt::format("\"{}\" is never due", timing), "Choose a time that comes.");
}

}  // namespace

SchedulePart::SchedulePart(std::string_view timing) {
  const Trigger trigger = read(timing);
  const std::string& text = trigger.text();
  const seconds gap = longest_gap_of(trigger, timing);
  const std::string_view rest =
      std::string_view(text).substr(std::min(text.find(' '), text.size()));
  if (text.starts_with(every)) {
    const bool counted = rest.ends_with(from_start);
    statement = fmt::format("s.every<::<Type>>(\"<kebab>\", {}{});", in_cpp(gap),
                            counted ? ", {}, true" : "");
  } else if (text.starts_with(at)) {
    statement = fmt::format("s.at<::<Type>>(\"<kebab>\", \"{}\");", text.substr(at.size()));
    return;
  } else {
    statement = fmt::format("s.cron<::<Type>>(\"<kebab>\", \"{}\");", text);
  }
  longest_gap = in_cpp(gap);
}

}  // namespace aegis::cli
