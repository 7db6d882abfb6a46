#pragma once

#include <string>
#include <vector>

namespace aegis::cli {

struct ChangeOptions {
  std::vector<std::string> components{};
  bool force = false;    ///< though not all is committed, or parts of the user's are in the way
  bool yes = false;      ///< no question
  bool dry_run = false;  ///< says what it would do
  bool json = false;
};

/// `aegis add` and `aegis remove`: bring the project in the current folder to other components, and
/// `aegis update` to the template of this version. All or nothing; what the user has changed is
/// merged. Throw UsageError, before anything is written, or std::filesystem::filesystem_error.
/// Answer 1 when there are conflicts to be resolved.
int add(const ChangeOptions& options);
int remove(const ChangeOptions& options);
int update(const ChangeOptions& options);

}  // namespace aegis::cli
