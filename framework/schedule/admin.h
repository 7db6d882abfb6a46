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
  /// active, paused, ended (no slot is left), retired (from the code) or broken (it cannot be read)
  std::string state{};
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
  std::optional<Timestamp> next{};       ///< the next slot
  std::optional<std::string> problem{};  ///< why it is broken

  AEGIS_FIELDS(ScheduleInfo, (name, primary_key), (state), (kind), (arguments), (timing), (zone),
               (catch_up), (catch_up_most), (overlap), (jitter), (starts_at), (ends_at), (declared),
               (created_at), (paused_at), (next), (problem))
};

/// A slot that is to come.
struct NextSlot {
  std::string schedule{};
  Timestamp slot{};

  AEGIS_FIELDS(NextSlot, (schedule), (slot))
};

/// A schedule that has no slot to come.
struct WithoutSlot {
  std::string schedule{};
  std::string why{};  ///< "is paused", "has ended", "is retired" or "cannot be read: …"

  AEGIS_FIELDS(WithoutSlot, (schedule), (why))
};

struct Upcoming {
  std::vector<NextSlot> slots{};  ///< in order
  std::vector<WithoutSlot> without{};

  AEGIS_FIELDS(Upcoming, (slots), (without))
};

/// By name, those after `after`.
awaitable<std::vector<ScheduleInfo>> list(Database& db, std::int64_t limit = 1'000'000,
                                          std::string after = "");
awaitable<ScheduleInfo> show(Database& db, std::string name);
/// The next slots, up to `count`, of one schedule or of all that are active, and those that have
/// none: the one, or the ones among all that cannot be read.
awaitable<Upcoming> next_slots(Database& db, std::optional<std::string> name, std::size_t count);
/// Those that cannot be read: somebody else has written them, or their time zone is gone.
awaitable<std::vector<WithoutSlot>> broken(Database& db);
/// The runs of one schedule, also of one that was deleted, or of all; the newest first.
awaitable<std::vector<RunInfo>> history(Store& store, std::optional<std::string> name,
                                        std::int64_t limit);

/// Fires it now, besides its slots, also when it is paused. Answers the job.
awaitable<std::int64_t> run_now(Store& store, std::string name);
/// Throws Error(invalid) for what cannot be, or would never be due, and Error(conflict) for a name
/// that is taken.
awaitable<ScheduleInfo> create(Store& store, ScheduleSpec spec);
/// Its runs are kept as long as others. Throws Error(conflict) for one that the code declares.
awaitable<void> erase(Database& db, std::string name);
/// Its slots pass without a run until resume().
awaitable<void> pause(Store& store, std::string name);
awaitable<void> resume(Store& store, std::string name);

}  // namespace aegis::schedule
