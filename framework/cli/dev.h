#pragma once

#include <string>

namespace aegis::cli {

struct DevOptions {
  std::string preset = "dev";  ///< of CMakePresets.json
};

/// Builds the project in this folder, runs it, and does so again whenever it changes, until a
/// signal ends it. Throws UsageError where there is no project. Answers the exit code.
int dev(const DevOptions& options);

}  // namespace aegis::cli
