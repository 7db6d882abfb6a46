#pragma once

#include "app/parts.h"

namespace aegis {

/// Exit codes of every command; the numbers above 2 are sysexits.h's.
enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,  ///< the command worked and the answer is no, e.g. unhealthy
  exit_usage = 2,
  exit_unavailable = 69,  ///< nobody answers, or the port or database cannot be had
  exit_internal = 70,
  exit_config = 78,
};

/// Reads the command line and the settings, and runs the command. Answers the exit code.
int run_command_line(App::Parts& parts, int argc, char** argv);

}  // namespace aegis
