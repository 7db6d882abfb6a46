#pragma once

#include "aegis/core/settings.h"
#include "app/parts.h"

namespace aegis {

struct ServeOptions {
  bool next_free_port = false;  ///< when the port is taken
  bool everything = false;      ///< runs jobs and schedules as well
  bool upgrade = false;         ///< applies pending migrations, otherwise waits until somebody did
  bool with_database = false;   ///< also for an application that has no use for one itself
};

/// Runs the application until it is told to stop; answers the exit code.
int serve(App::Parts& parts, const Settings& settings, const ServeOptions& options);

}  // namespace aegis
