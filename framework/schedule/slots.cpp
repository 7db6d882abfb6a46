#include "schedule/slots.h"

#include <fmt/format.h>

#include <algorithm>

#include "aegis/core/error.h"
#include "aegis/core/json.h"

namespace aegis::schedule {

using namespace std::chrono;

namespace {

constexpr milliseconds most_jitter = 24h;
constexpr Timestamp end_of_time = sys_days(year(9999) / 1 / 1);

/// FNV-1a: the same in every process, whatever its standard library.
std::uint64_t hash(std::string_view text, std::uint64_t seed = 14695981039346656037U) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return seed;
}

}  // namespace

void check(const ScheduleSpec& spec) {
  std::vector<FieldError> problems;
  validate(describe<ScheduleSpec>(), &spec, problems);
  if (spec.name == "next" || spec.name == "history") {
    problems.push_back({"/name", "must not be a word of the HTTP API, /schedules/" + spec.name});
  }
  if (!problems.empty()) throw ValidationError(std::move(problems));
  const Slots slots(spec, {});
}

Slots::Slots(std::string_view name, std::string_view timing, std::string_view zone,
             milliseconds jitter, std::optional<Timestamp> starts_at,
             std::optional<Timestamp> ends_at, Timestamp created_at)
    : name_(name),
      trigger_(Trigger::parse(timing)),
      zone_(zone),
      jitter_(jitter),
      start_(floor<seconds>(starts_at.value_or(created_at))),
      ends_at_(ends_at) {
  if (jitter < 0ms || jitter > most_jitter) {
    throw Error(Errc::invalid, fmt::format("A schedule's slots are later by up to a day, not by {} "
                                           "ms.",
                                           jitter.count()));
  }
}

std::optional<Timestamp> Slots::next(Timestamp after) const {
  const auto found = trigger_.next(zone_, start_, floor<seconds>(after));
  if (!found || *found <= after || *found >= end_of_time) return std::nullopt;
  if (ends_at_ && *found > *ends_at_) return std::nullopt;
  return Timestamp(*found);
}

Timestamp Slots::due(Timestamp slot) const {
  if (jitter_.count() <= 0) return slot;
  const auto most = static_cast<std::uint64_t>(jitter_.count()) + 1;
  const auto share = hash(to_string(slot), hash(name_)) % most;
  return slot + milliseconds(static_cast<std::int64_t>(share));
}

Slots::Plan Slots::plan(Timestamp first, Timestamp now, milliseconds patience,
                        std::string_view catch_up, std::int32_t most) const {
  const auto wanted = static_cast<std::size_t>(catch_up == "all"    ? most
                                               : catch_up == "once" ? 1
                                                                    : 0);
  std::optional<Timestamp> slot = first;
  std::vector<Timestamp> missed, in_time;
  const Timestamp all_missed_until = now - patience - jitter_;
  if (first < all_missed_until) {
    missed = last_before(all_missed_until, first, wanted);
    slot = next(all_missed_until - 1us);
  }
  for (; slot && due(*slot) <= now; slot = next(*slot)) {
    (due(*slot) < now - patience ? missed : in_time).push_back(*slot);
  }
  Plan plan{.next = slot};
  const std::size_t given_up = missed.size() - std::min(missed.size(), wanted);
  for (std::size_t i = given_up; i < missed.size(); ++i) {
    plan.runs.push_back({.slot = missed[i], .catch_up = true});
  }
  for (const Timestamp one : in_time) plan.runs.push_back({.slot = one});
  std::ranges::sort(plan.runs, {}, &Plan::Run::slot);
  return plan;
}

/// The last `most` slots from `first` on and before `end`. Looks at ever longer times before the
/// end, so that two weeks of seconds cost no more than what is asked for.
std::vector<Timestamp> Slots::last_before(Timestamp end, Timestamp first, std::size_t most) const {
  std::vector<Timestamp> found;
  if (most == 0) return found;
  for (auto length = microseconds(1min);; length *= 4) {
    const Timestamp begin = end - first > length ? end - length : first;
    found.clear();
    for (auto slot = next(begin - 1us); slot && *slot < end; slot = next(*slot)) {
      found.push_back(*slot);
    }
    if (begin == first || found.size() >= most) break;
  }
  const auto surplus = found.size() - std::min(found.size(), most);
  found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(surplus));
  return found;
}

}  // namespace aegis::schedule
