#pragma once

#include "aegis/core/settings.h"
#include "app/parts.h"

namespace aegis {

/// Runs the application until it is told to stop; answers the exit code. When the port is taken, it
/// moves on to the next free one if `next_free_port` says so.
int serve(App::Parts& parts, const Settings& settings, bool next_free_port);

}  // namespace aegis
