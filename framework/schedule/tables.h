#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "aegis/db/table.h"

/// The tables of the schedule room.
namespace aegis::schedule {

/// A schedule, and what is next. Of two schedulers that fire a slot the one wins that locks this
/// row first.
struct ScheduleRow {
  std::string name{};
  std::string kind{};
  std::string arguments{};  ///< JSON
  std::string timing{};
  std::string zone{};
  std::string catch_up{};
  std::int32_t catch_up_most{};
  std::string overlap{};
  std::chrono::milliseconds jitter{};
  std::optional<Timestamp> starts_at{};
  std::optional<Timestamp> ends_at{};
  bool declared = false;  ///< by the code; otherwise created at run time
  Timestamp created_at{};
  std::optional<Timestamp> retired_at{};  ///< the code no longer declares it
  std::optional<Timestamp> paused_at{};
  std::optional<Timestamp> slot{};    ///< the next one; nothing: there is no more
  std::optional<Timestamp> due_at{};  ///< when it is fired: later by the jitter
  /// The last slot whose run was deleted: none up to it is fired again, whatever a clock says.
  std::optional<Timestamp> pruned_slot{};

  AEGIS_TABLE(ScheduleRow, "aegis_schedule", (name, primary_key), (kind), (arguments), (timing),
              (zone), (catch_up, one_of("skip", "once", "all")), (catch_up_most),
              (overlap, one_of("allow", "skip", "queue")), (jitter), (starts_at), (ends_at),
              (declared), (created_at), (retired_at), (paused_at), (slot), (due_at), (pruned_slot))

  static constexpr std::array aegis_indexes{
      TableIndex{"due", "due_at", "due_at IS NOT NULL AND paused_at IS NULL"}};
};

/// A slot that was fired, or left out: there is one for each, whatever the number of schedulers.
struct RunRow {
  std::optional<std::int64_t> id{};
  std::string schedule{};
  Timestamp slot{};
  std::string how{};
  Timestamp fired_at{};
  std::optional<std::int64_t> job_id{};
  /// How its job ended: completed, cancelled, dead; skipped: it had none, since another had not
  /// finished; unknown: it is gone. Nothing: it has not ended, or nobody has looked since.
  std::optional<std::string> outcome{};
  std::optional<Timestamp> started_at{};
  std::optional<Timestamp> finished_at{};
  std::optional<std::string> error{};
  std::optional<std::string> output{};

  AEGIS_TABLE(RunRow, "aegis_schedule_run", (id, primary_key), (schedule, unique("slot")),
              (slot, unique("slot")), (how, one_of("on time", "catch-up", "by hand")), (fired_at),
              (job_id), (outcome, one_of("completed", "cancelled", "dead", "skipped", "unknown")),
              (started_at), (finished_at), (error), (output))

  static constexpr std::array aegis_indexes{
      TableIndex{"open", "schedule, id", "outcome IS NULL"},
      TableIndex{"job", "job_id", "job_id IS NOT NULL"},
      TableIndex{"retention", "fired_at"},
  };
};

/// Both of them.
std::vector<const Table*> tables();

}  // namespace aegis::schedule
