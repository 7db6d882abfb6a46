#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jobs/store.h"

namespace aegis {
class Runtime;
}

namespace aegis::jobs {

struct WorkerOptions {
  struct Queue {
    std::string name{};
    int limit = 0;  ///< how many of its jobs this worker runs at a time; 0: as many as of all
  };

  std::vector<Queue> queues{};
  int concurrency = 50;  ///< how many jobs it runs at a time
  /// For how long after its last sign of life it is taken to live.
  std::chrono::milliseconds lease = std::chrono::seconds(15);
  /// How often it looks for jobs that nobody told it of.
  std::chrono::milliseconds poll = std::chrono::seconds(1);
  /// How long a job that blocks its thread may go on after its timeout before it is given up.
  std::chrono::milliseconds grace = std::chrono::seconds(5);
  // How long finished jobs are kept.
  std::chrono::milliseconds keep_completed = std::chrono::hours(24);
  std::chrono::milliseconds keep_cancelled = std::chrono::hours(24 * 7);
  std::chrono::milliseconds keep_dead = std::chrono::hours(24 * 30);
};

/// Runs jobs on the cores of a runtime. What keeps its lease, and gets and records jobs, has a
/// thread of its own, so that a job that blocks a core does not cost the others their worker.
class Worker {
 public:
  /// All must outlive it, and the runtime must have stopped before it is destroyed. `kinds` are the
  /// jobs that it can run.
  Worker(Runtime& runtime, Database& database, const Services& services,
         std::vector<const JobKind*> kinds, WorkerOptions options);
  ~Worker();

  /// Begins to work once the database can be reached.
  void start();
  /// Takes no more jobs, and waits up to `limit` for those that run; cancels the others and gives
  /// them back. Any executor.
  awaitable<void> drain(std::chrono::milliseconds limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aegis::jobs
