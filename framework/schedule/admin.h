#pragma once

#include <optional>
#include <string>
#include <vector>

#include "schedule/store.h"

/// What people do with schedules. Each throws Error(not_found) for a name that there is not.
namespace aegis::schedule {

/// A schedule as people see it.
struct ScheduleInfo {
  std::string name{};
  std::string state{};  ///< active, paused, ended (no slot is left) or retired (from the code)
  std::string kind{};
  std::string arguments{};
  std::string timing{};
  std::string zone{};
  std::string catch_up{};
  std::int32_t catch_up_most{};
  std::string overlap{};
  std::chrono::milliseconds jitter{};
  std::optional<Timestamp> starts_at{};
  std::optional<Timestamp> ends_at{};
  bool declared = false;
  Timestamp created_at{};
  std::optional<Timestamp> paused_at{};
  std::optional<Timestamp> next{};  ///< the next slot

  AEGIS_FIELDS(ScheduleInfo, (name, primary_key), (state), (kind), (arguments), (timing), (zone),
               (catch_up), (catch_up_most), (overlap), (jitter), (starts_at), (ends_at), (declared),
               (created_at), (paused_at), (next))
};

/// A slot that is to come.
struct NextSlot {
  std::string schedule{};
  Timestamp slot{};

  AEGIS_FIELDS(NextSlot, (schedule), (slot))
};

/// By name, those after `after`.
awaitable<std::vector<ScheduleInfo>> list(Database& db, std::int64_t limit = 1'000'000,
                                          std::string after = "");
awaitable<ScheduleInfo> show(Database& db, std::string name);
/// The next slots of one schedule, or of all that are active, in order.
awaitable<std::vector<NextSlot>> next_slots(Database& db, std::optional<std::string> name,
                                            std::size_t count);

/// Throws Error(invalid) for what cannot be, and Error(conflict) for a name that is taken.
awaitable<ScheduleInfo> create(Store& store, ScheduleSpec spec);
/// Its runs are kept as long as others. Throws Error(conflict) for one that the code declares.
awaitable<void> erase(Database& db, std::string name);
/// Its slots pass without a run until resume().
awaitable<void> pause(Store& store, std::string name);
awaitable<void> resume(Store& store, std::string name);

}  // namespace aegis::schedule
