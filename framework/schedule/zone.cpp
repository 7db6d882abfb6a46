#include "aegis/schedule/zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "aegis/core/error.h"

namespace aegis {

using namespace std::chrono_literals;

// Abseil, since it goes by the rules at the end of a zone's file for the years beyond the file's
// table. (date-tz 3.0.1 does not: from 2038 on it knows no change of clocks.)
struct Zone::Data {
  std::string name;
  absl::TimeZone zone;
};

namespace {

UtcSeconds as_utc(absl::CivilSecond local, std::chrono::seconds offset) {
  return UtcSeconds{std::chrono::seconds(local - absl::CivilSecond(1970)) - offset};
}

}  // namespace

const Zone::Data& Zone::find(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, Data, std::less<>> known;
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(name); found != known.end()) return found->second;
  Data data{.name = std::string(name), .zone = {}};
  if (!absl::LoadTimeZone(data.name, &data.zone)) {
    throw Error(Errc::invalid,
                fmt::format("\"{}\" is no time zone of this system's database (package tzdata); "
                            "write one such as Europe/Berlin or UTC",
                            name));
  }
  return known.emplace(data.name, std::move(data)).first->second;
}

std::string_view Zone::name() const {
  return data_->name;
}

Zone::Period Zone::at(UtcSeconds moment) const {
  const absl::TimeZone& zone = data_->zone;
  const absl::Time time = absl::FromUnixSeconds(moment.time_since_epoch().count());
  const std::chrono::seconds offset{zone.At(time).offset};
  Period period{.begin = UtcSeconds::min(), .end = UtcSeconds::max(), .offset = offset};
  absl::TimeZone::CivilTransition change;
  if (zone.PrevTransition(time + absl::Seconds(1), &change))
    period.begin = as_utc(change.to, offset);
  if (zone.NextTransition(time, &change)) period.end = as_utc(change.from, offset);
  return period;
}

UtcSeconds Zone::utc(LocalSeconds moment) const {
  const auto found = data_->zone.At(absl::CivilSecond(1970) + moment.time_since_epoch().count());
  const bool left_out = found.kind == absl::TimeZone::TimeInfo::SKIPPED;
  return UtcSeconds{std::chrono::seconds{absl::ToUnixSeconds(left_out ? found.trans : found.pre)}};
}

std::optional<UtcSeconds> next_slot(const Cron& cron, const Zone& zone, UtcSeconds after) {
  const UtcSeconds limit = after + std::chrono::years{50};
  for (UtcSeconds from = after + 1s; from < limit;) {
    const Zone::Period period = zone.at(from);
    LocalSeconds begin = period.local(from);
    if (!cron.is_wildcard() && period.begin != UtcSeconds::min()) {
      const Zone::Period before = zone.at(period.begin - 1s);
      // What the clock showed, or would have shown, had it not been changed.
      const LocalSeconds unchanged = before.local(period.begin);
      const LocalSeconds changed = period.local(period.begin);
      if (from == period.begin && unchanged < changed) {
        const auto left_out = cron.next(unchanged);
        if (left_out && *left_out < changed) return period.begin;
      }
      begin = std::max(begin, unchanged);  // not again what came before the clock was put back
    }
    const auto found = cron.next(begin);
    if (found && period.utc(*found) < period.end) return period.utc(*found);
    from = period.end;
  }
  return std::nullopt;
}

}  // namespace aegis
