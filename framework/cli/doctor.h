#pragma once

namespace aegis::cli {

/// Looks for what is missing to build and run a project: the one in this folder, or any. Prints
/// what it finds and how to mend it, as JSON for programs. Answers the exit code: 1 with problems.
int doctor(bool json);

}  // namespace aegis::cli
