#pragma once

#include <map>
#include <string>
#include <vector>

#include "jobs/store.h"

namespace aegis::jobs {

/// Fetches jobs that have limits: the limits of a queue take turns, so that one with many jobs does
/// not hold up the others.
class LimitedFetch {
 public:
  /// All must outlive it. `kinds` are the jobs that can be run.
  LimitedFetch(Store& store, const std::vector<const JobKind*>& kinds);

  /// Whether any of the kinds has limits. If not, there may still be jobs of a time when one had.
  bool any_limits() const { return any_limits_; }
  /// Up to `limit` jobs of the queue that may start now, under `lease`. A `wait` in the answer:
  /// when to come again at the latest.
  awaitable<Store::LimitedClaims> fetch(std::int64_t lease, std::string queue, std::int64_t limit);

 private:
  Store& store_;
  std::map<std::string, const JobKind*, std::less<>> kinds_{};
  bool any_limits_ = false;
  std::string kinds_json_;
  std::map<std::string, std::string> last_{};  ///< by queue: the limit that had its turn
};

}  // namespace aegis::jobs
