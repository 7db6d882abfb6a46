#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/manifest.h"
#include "cli/template.h"

namespace aegis::cli {

/// What becomes of a file of the project.
struct Change {
  enum class What : std::uint8_t { added, changed, removed, kept, conflict };

  std::string path{};
  What what = What::changed;
  std::string why{};                    ///< it is kept or a conflict
  std::optional<std::string> before{};  ///< nothing: it is not there
  std::optional<std::string> after{};   ///< the same when it is kept
  bool executable = false;
};

/// "added", "changed" and so on.
std::string_view to_text(Change::What what);

/// The three versions that are merged.
struct Versions {
  const Manifest& base;                    ///< what was generated
  const std::vector<ProjectFile>& theirs;  ///< what is generated now
  const std::set<std::string>& followed;   ///< migrations that stay: fit_migrations()
  std::function<std::optional<std::string>(const std::string& path)> mine;  ///< the project's
  /// A file as it was generated, by its id; nothing where nobody has it any more.
  std::function<std::optional<std::string>(const std::string& id)> generated;
};

/// What is to be done to bring the project from `base` to `theirs`, in order of the paths. What the
/// user has changed is merged or stays. Throws UsageError where there is no git to merge.
std::vector<Change> merge_files(const Versions& versions);

}  // namespace aegis::cli
