#include "aegis/schedule/trigger.h"

#include <fmt/format.h>

#include <algorithm>

#include "aegis/core/error.h"
#include "core/describe/text.h"

namespace aegis {

using namespace std::chrono;

namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

constexpr milliseconds longest_period = 3653 * 24h;

/// "2026-12-24 18:00", with seconds or not.
std::optional<LocalSeconds> read_local(std::string_view text) {
  if (text.size() != 16 && text.size() != 19) return std::nullopt;
  std::string whole(text);
  if (whole[10] != ' ' && whole[10] != 'T') return std::nullopt;
  whole[10] = 'T';
  whole += whole.size() == 16 ? ":00Z" : "Z";
  const auto moment = parse_timestamp(whole);
  if (!moment) return std::nullopt;
  return LocalSeconds{floor<seconds>(moment->time_since_epoch())};
}

void check_period(milliseconds period) {
  if (period < 1s || period % 1s != 0ms) {
    throw Error(Errc::invalid, fmt::format("A schedule is due every so many whole seconds, at "
                                           "least one, not every {} ms.",
                                           period.count()));
  }
  if (period > longest_period) {
    throw Error(Errc::invalid,
                fmt::format("A schedule is due at least once in ten years, not every "
                            "{}.",
                            detail::write_duration(period)));
  }
}

}  // namespace

Trigger Trigger::parse(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with("every ")) return {read_every(text), std::string(text)};
  if (text.starts_with("at ")) return {read_moments(text), std::string(text)};
  return cron(Cron::parse(text), text);
}

Trigger Trigger::cron(Cron cron, std::string_view text) {
  if (!cron.next(LocalSeconds{local_days{year(2000) / 1 / 1}})) {
    throw Error(Errc::invalid, fmt::format("\"{}\" is never due: no day fits it", text));
  }
  return {cron, std::string(text)};
}

Trigger Trigger::every(milliseconds period, bool from_start) {
  check_period(period);
  return {
      Every{duration_cast<seconds>(period), from_start},
      fmt::format("every {}{}", detail::write_duration(period), from_start ? " from start" : "")};
}

Trigger::When Trigger::read_every(std::string_view text) {
  std::string_view rest = trimmed(text.substr(6));
  constexpr std::string_view from_start = " from start";
  Every every;
  if (rest.ends_with(from_start)) {
    every.from_start = true;
    rest = trimmed(rest.substr(0, rest.size() - from_start.size()));
  }
  milliseconds period{};
  const std::string problem = detail::read_duration(rest, period);
  if (!problem.empty()) {
    throw Error(Errc::invalid, fmt::format("\"{}\": after \"every\" comes a duration, such as 90s "
                                           "or 1h, and then \"from start\" or nothing",
                                           text));
  }
  check_period(period);
  every.period = duration_cast<seconds>(period);
  return every;
}

Trigger::When Trigger::read_moments(std::string_view text) {
  std::vector<Moment> moments;
  std::string_view rest = text.substr(3);
  while (!rest.empty()) {
    const std::string_view part = trimmed(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
    if (const auto local = read_local(part)) {
      moments.emplace_back(*local);
    } else if (const auto utc = parse_timestamp(part)) {
      moments.emplace_back(floor<seconds>(*utc));
    } else {
      throw Error(Errc::invalid, fmt::format("\"{}\" is no moment; write 2026-12-24 18:00, or "
                                             "2026-12-24T18:00:00+01:00",
                                             part));
    }
  }
  if (moments.empty()) throw Error(Errc::invalid, "After \"at\" come one or more moments.");
  return moments;
}

std::optional<UtcSeconds> Trigger::next(const Zone& zone, UtcSeconds start,
                                        UtcSeconds after) const {
  after = std::max(after, start - 1s);
  if (const auto* cron = std::get_if<Cron>(&when_)) return next_slot(*cron, zone, after);
  if (const auto* every = std::get_if<Every>(&when_)) {
    const UtcSeconds origin = every->from_start ? start : UtcSeconds{};
    const auto periods = (after - origin + every->period) / every->period;
    return origin + periods * every->period;
  }
  std::optional<UtcSeconds> found;
  for (const Moment& moment : std::get<std::vector<Moment>>(when_)) {
    const auto* local = std::get_if<LocalSeconds>(&moment);
    const UtcSeconds utc = local ? zone.utc(*local) : std::get<UtcSeconds>(moment);
    if (utc > after && (!found || utc < *found)) found = utc;
  }
  return found;
}

}  // namespace aegis
