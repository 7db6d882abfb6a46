#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aegis/schedule/cron.h"
#include "aegis/schedule/zone.h"

namespace aegis {

/// When a schedule is due. Its text is how it is stored, shown and given on a command line:
///
///   0 3 * * *               a cron expression, by the clock of the schedule's zone
///   every 90s               at each multiple of it since 1970, so that 15m is at :00, :15, :30,
///   :45 every 90s from start    counted from the schedule's start at 2026-12-24 18:00,
///   2026-12-31T18:00:00Z    at these moments, in the zone or with an offset
class Trigger {
 public:
  /// Throws Error(invalid), which says what is wrong and what is allowed.
  static Trigger parse(std::string_view text);
  /// Throws Error(invalid) for one that is never due.
  static Trigger cron(Cron cron, std::string_view text);
  /// Throws Error(invalid) unless `period` is whole seconds, at least one.
  static Trigger every(std::chrono::milliseconds period, bool from_start = false);

  const std::string& text() const { return text_; }

  /// The first slot after `after`; nothing when there is no more. `start` is the schedule's.
  std::optional<UtcSeconds> next(const Zone& zone, UtcSeconds start, UtcSeconds after) const;

 private:
  struct Every {
    std::chrono::seconds period{};
    bool from_start = false;
  };
  using Moment = std::variant<UtcSeconds, LocalSeconds>;
  using When = std::variant<Cron, Every, std::vector<Moment>>;

  Trigger(When when, std::string text) : when_(std::move(when)), text_(std::move(text)) {}
  static When read_every(std::string_view text);
  static When read_moments(std::string_view text);

  When when_;
  std::string text_;
};

}  // namespace aegis
