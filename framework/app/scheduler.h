#pragma once

#include <memory>

#include "aegis/core/settings.h"
#include "app/parts.h"
#include "schedule/scheduler.h"

namespace aegis {

class Runtime;

/// The scheduler that the settings ask for, which drains with the runtime; null for an application
/// without schedules. All must outlive it.
std::unique_ptr<schedule::Scheduler> make_scheduler(Runtime& runtime, Database& database,
                                                    App::Parts& parts, const Settings& settings);

/// Fires schedules and does nothing else until it is told to stop; answers the exit code.
int run_scheduler(App::Parts& parts, const Settings& settings);

}  // namespace aegis
