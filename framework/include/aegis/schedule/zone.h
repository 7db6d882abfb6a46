#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "aegis/schedule/cron.h"

namespace aegis {

using UtcSeconds = std::chrono::sys_seconds;

/// A time zone of the system's database, such as Europe/Berlin. Copied like a pointer.
class Zone {
 public:
  /// Throws Error(invalid) for a name that the database does not know.
  explicit Zone(std::string_view name) : data_(&find(name)) {}

  std::string_view name() const;

  /// A time in which local time runs evenly.
  struct Period {
    UtcSeconds begin, end;
    std::chrono::seconds offset;  ///< of local time from UTC

    LocalSeconds local(UtcSeconds moment) const {
      return LocalSeconds{moment.time_since_epoch() + offset};
    }
    UtcSeconds utc(LocalSeconds moment) const {
      return UtcSeconds{moment.time_since_epoch() - offset};
    }
  };
  /// The one that `moment` is in.
  Period at(UtcSeconds moment) const;
  /// When the clock on the wall shows `moment`: the first time, where it does so twice, and where
  /// it leaves it out, right after the gap.
  UtcSeconds utc(LocalSeconds moment) const;

 private:
  struct Data;
  static const Data& find(std::string_view name);

  const Data* data_;  ///< lives as long as the process
};

/// The first moment after `after` at which `cron` is due in `zone`; nothing when there is none
/// within 50 years. Where clocks are changed, as ISC cron does it (cron(8)): what is due at a fixed
/// time that the clock leaves out is due right after the gap, and at a time that comes twice the
/// first time only; a wildcard expression follows the clock.
std::optional<UtcSeconds> next_slot(const Cron& cron, const Zone& zone, UtcSeconds after);

}  // namespace aegis
