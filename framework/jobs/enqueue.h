#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aegis/db/session.h"
#include "aegis/jobs/job.h"

namespace aegis::jobs {

/// A job of a batch.
struct TaggedJob {
  aegis::detail::JobText text{};
  std::string tag{};
  /// Jobs that are not finished: it runs when they are, however they end.
  std::vector<std::int64_t> after{};
  /// Another one of the batch that it comes after, by its index, which is smaller.
  std::optional<std::size_t> behind{};

  bool waits() const { return behind || !after.empty(); }
};

/// Enqueues jobs of one kind together. Answers, for each, its job: of a unique kind that may be one
/// that was there. Jobs in `after` may end meanwhile, and are not locked: after the commit the
/// caller has Store::follow_up() look at those that have.
awaitable<std::vector<Enqueued>> enqueue_tagged(Session& session, const JobKind& kind,
                                                std::vector<TaggedJob> jobs);

}  // namespace aegis::jobs
