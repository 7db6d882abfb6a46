#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aegis::cgroup {

/// A directory with the files of one control group.
struct Directory {
  std::string path;
  int version;  ///< 1 or 2: the names of its files differ
};

/// The groups that limit this process by `controller` ("cpu", "memory"): each one's own and those
/// it lies in, up to the mount point. A group that is not mounted here, as seen from inside a
/// container, has no files. Reads version 2 and version 1. See cgroups(7).
std::vector<Directory> directories(std::string_view controller, const std::string& proc,
                                   const std::string& mount);

}  // namespace aegis::cgroup
