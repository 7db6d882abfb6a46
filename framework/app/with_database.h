#pragma once

#include <functional>

#include "aegis/core/runtime.h"
#include "aegis/db/database.h"

namespace aegis::commands {

using Work = std::function<awaitable<void>(Runtime&, Database&)>;

/// Runs one piece of work on the database and ends, without the stages of a service's end. A signal
/// has them all the same. Throws what the work throws.
void with_database(const DatabaseOptions& options, const Work& work);

}  // namespace aegis::commands
