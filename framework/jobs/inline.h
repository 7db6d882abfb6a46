#pragma once

#include <vector>

#include "jobs/store.h"

namespace aegis::jobs {

/// Runs the available jobs of these kinds on the caller's executor, one after the other, until
/// there are none. Answers how each attempt ended. For tests: no worker, no waiting.
awaitable<std::vector<Ending>> run_available(Store& store, const Services& services,
                                             const std::vector<const JobKind*>& kinds);

}  // namespace aegis::jobs
