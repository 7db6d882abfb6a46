#pragma once

#include <memory>
#include <vector>

#include "schedule/store.h"

namespace aegis::schedule {

struct SchedulerOptions {
  /// Slots that are fired so much later count as on time, not as missed.
  std::chrono::milliseconds patience = std::chrono::minutes(1);
  /// How often it looks for changes that nobody told it of, of schedules and of the clock.
  std::chrono::milliseconds poll = std::chrono::seconds(5);
  /// How often the history learns how jobs ended.
  std::chrono::milliseconds settling = std::chrono::seconds(5);
  std::chrono::milliseconds keep_runs = std::chrono::hours(24 * 30);
  std::int64_t batch = 1'000;  ///< schedules in a transaction
};

/// Fires schedules at their times. Any number of them may run on one database: each slot is fired
/// by one. Has a thread of its own, so that a handler that blocks a core makes nothing late.
class Scheduler {
 public:
  /// `database` must outlive it. Once started it is destroyed when the runtime has stopped: what
  /// hears of changes on PostgreSQL lives on its thread until the database is closed. `kinds` are
  /// the jobs that this process knows.
  Scheduler(Database& database, std::vector<const JobKind*> kinds,
            std::vector<Schedules::Declared> declared, SchedulerOptions options = {});
  ~Scheduler();

  /// Brings what the code declares to the database, once that can be reached, and begins.
  void start();
  /// Fires no more; ends when what it was doing is done. Any executor.
  awaitable<void> drain();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aegis::schedule
