#pragma once

#include <set>

#include "ground.h"

/// Whether AEGIS_SOAK asks for the long form of a test.
bool at_length();

/// What was asked of the workers, to be held against what they did: jobs of the kind Mark, each of
/// which leaves one Effect.
class Ledger {
 public:
  /// Enqueues `count` more. Throws what the enqueue throws; after Error(unknown_outcome) the jobs
  /// may be there or not.
  awaitable<void> enqueue(Database& db, int count, aegis::EnqueueOptions options = {});

  /// Waits until no job is left. Then each that was enqueued has been completed and has had its
  /// effect, once, and there is nothing else, save what may have been enqueued.
  awaitable<void> check(Database& db);

  std::int64_t enqueued() const { return static_cast<std::int64_t>(sure_.size()); }

 private:
  std::int64_t next_ = 0;
  std::set<std::int64_t> sure_{}, unknown_{};
};
