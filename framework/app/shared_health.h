#pragma once

#include <chrono>
#include <memory>

#include "aegis/core/awaitable.h"
#include "aegis/health/health.h"

namespace aegis {

/// One check for all who ask at a time, and for those who ask within `keep` after it: however many
/// ask, the database is not asked more often. Any thread.
class SharedHealth {
 public:
  /// `registry` must outlive every check.
  SharedHealth(const HealthRegistry& registry, std::chrono::milliseconds keep);

  /// Throws boost::system::system_error (operation_aborted) when cancelled; the check goes on for
  /// the others. What the registry throws is thrown to all who wait, and the next asks anew.
  awaitable<std::shared_ptr<const HealthReport>> report() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace aegis
