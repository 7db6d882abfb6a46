#include "aegis/schedule/schedule.h"

#include <fmt/format.h>

#include <algorithm>

#include "aegis/core/error.h"
#include "schedule/slots.h"
#include "schedule/store.h"
#include "schedule/words.h"

namespace aegis {

Schedule& Schedule::in(std::string_view zone) {
  spec_.zone = Zone(zone).name();
  return *this;
}

Schedule& Schedule::catch_up(CatchUp what, int most) {
  spec_.catch_up = schedule::to_text(what);
  spec_.catch_up_most = std::clamp(most, 1, 10'000);
  return *this;
}

Schedule& Schedule::overlap(Overlap what) {
  spec_.overlap = schedule::to_text(what);
  return *this;
}

Schedule& Schedule::jitter(std::chrono::milliseconds most) {
  spec_.jitter = std::max(most, std::chrono::milliseconds(0));
  return *this;
}

Schedule& Schedule::starts(Timestamp moment) {
  spec_.starts_at = std::chrono::floor<std::chrono::seconds>(moment);
  return *this;
}

Schedule& Schedule::ends(Timestamp moment) {
  spec_.ends_at = moment;
  return *this;
}

Schedule& Schedules::add(std::string name, const Trigger& trigger, const JobKind& kind,
                         std::string arguments) {
  if (!names_.insert(name).second) {
    throw Error(Errc::invalid, fmt::format("Two schedules are called {}.", name));
  }
  auto& added = *schedules_.emplace_back(std::make_unique<Schedule>());
  added.spec_.name = std::move(name);
  added.spec_.kind = kind.name;
  added.spec_.arguments = std::move(arguments);
  added.spec_.timing = trigger.text();
  added.kind_ = &kind;
  return added;
}

std::vector<Schedules::Declared> Schedules::declared() const {
  std::vector<Declared> all;
  for (const auto& one : schedules_) {
    try {
      schedule::check(one->spec_);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("Schedule {}: {}", one->spec_.name, error.what()));
    }
    all.push_back({one->spec_, one->kind_});
  }
  return all;
}

awaitable<std::optional<ScheduledRun>> scheduled_run(JobContext& job) {
  schedule::Store store(job.database(), {});
  co_return co_await store.run_of(job.id());
}

}  // namespace aegis
