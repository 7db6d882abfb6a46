#pragma once

#include <string>
#include <vector>

namespace aegis::cli {

/// Runs a program of PATH in silence and waits for it. Answers its exit code; 127: there is none.
int run_quietly(std::vector<std::string> command);

}  // namespace aegis::cli
