#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace aegis::cpu {

/// The CPUs this process may be scheduled on.
std::size_t affinity();

/// The CPUs' worth of time its cgroup and their parents allow, e.g. 1.5; nothing when unlimited.
/// Reads version 2 and version 1. `proc` and `cgroup` are the mount points; tests give their own.
std::optional<double> quota(const std::string& proc = "/proc",
                            const std::string& cgroup = "/sys/fs/cgroup");

}  // namespace aegis::cpu
