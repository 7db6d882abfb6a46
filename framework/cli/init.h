#pragma once

#include <string>
#include <vector>

namespace aegis::cli {

struct InitOptions {
  std::string name{};
  std::vector<std::string> components{};
  bool components_given = false;
  std::string output_dir = ".";
  bool force = false;    ///< into a folder that is there, over the files of the same names
  bool yes = false;      ///< no questions
  bool dry_run = false;  ///< says what it would write
  bool no_git = false;
  bool json = false;
};

/// `aegis init`: makes a project, or nothing: it is written beside its place and then renamed.
/// Throws UsageError, or std::filesystem::filesystem_error where it cannot be written.
int init(InitOptions options);

}  // namespace aegis::cli
