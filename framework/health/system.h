#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace aegis::health {

struct Memory {
  std::int64_t used_bytes = 0;
  std::int64_t limit_bytes = 0;  ///< the cgroup's limit, or the machine's memory when it has none
  bool limited_by_cgroup = false;
};

/// What this process's cgroup, or else the machine, uses and may use. Reads cgroup v2 and v1.
/// `proc` and `cgroup` are the mount points; tests give their own.
std::optional<Memory> memory(const std::string& proc = "/proc",
                             const std::string& cgroup = "/sys/fs/cgroup");

/// This process's own resident memory in bytes.
std::int64_t resident_bytes(const std::string& proc = "/proc");

}  // namespace aegis::health
