#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aegis/schedule/schedule.h"

namespace aegis::schedule {

/// Throws Error(invalid) for a schedule that cannot be.
void check(const ScheduleSpec& spec);

/// The slots of one schedule.
class Slots {
 public:
  /// Throws Error(invalid) for a timing or zone that cannot be read.
  Slots(std::string_view name, std::string_view timing, std::string_view zone,
        std::chrono::milliseconds jitter, std::optional<Timestamp> starts_at,
        std::optional<Timestamp> ends_at, Timestamp created_at);
  explicit Slots(const ScheduleSpec& spec, Timestamp created_at)
      : Slots(spec.name, spec.timing, spec.zone, spec.jitter, spec.starts_at, spec.ends_at,
              created_at) {}

  /// The first after `after`; nothing when there is no more.
  std::optional<Timestamp> next(Timestamp after) const;
  /// When a slot is fired: later by the jitter, always the same for the same slot.
  Timestamp due(Timestamp slot) const;

  /// What is to happen at `now` when `first` is the next slot.
  struct Plan {
    struct Run {
      Timestamp slot{};
      bool catch_up = false;
    };
    std::vector<Run> runs{};  ///< in order
    std::optional<Timestamp> next{};
  };
  /// Of the slots that were due longer than `patience` ago those that `catch_up` says, and all
  /// later ones.
  Plan plan(Timestamp first, Timestamp now, std::chrono::milliseconds patience,
            std::string_view catch_up, std::int32_t most) const;

 private:
  std::vector<Timestamp> last_before(Timestamp end, Timestamp first, std::size_t most) const;

  std::string name_;
  Trigger trigger_;
  Zone zone_;
  std::chrono::milliseconds jitter_;
  UtcSeconds start_;
  std::optional<Timestamp> ends_at_;
};

}  // namespace aegis::schedule
