#include "core/cpu.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>

#include "aegis/core/runtime.h"
#include "core/cgroup.h"

namespace aegis {
namespace cpu {
namespace {

// "max 100000" or "150000 100000": microseconds in each period of microseconds.
std::optional<double> read_v2(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  double allowed = 0, period = 0;
  if (!(file >> allowed >> period) || allowed <= 0 || period <= 0) return std::nullopt;
  return allowed / period;
}

// A quota of -1 is none.
std::optional<double> read_v1(const std::string& directory) {
  std::ifstream quota_file(directory + "/cpu.cfs_quota_us");
  std::ifstream period_file(directory + "/cpu.cfs_period_us");
  double allowed = 0, period = 0;
  if (!(quota_file >> allowed) || !(period_file >> period) || allowed <= 0 || period <= 0) {
    return std::nullopt;
  }
  return allowed / period;
}

}  // namespace

std::size_t affinity() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<std::size_t>(CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());  // more CPUs than the set can hold
}

std::optional<double> quota(const std::string& proc, const std::string& cgroup) {
  std::optional<double> least;
  for (const auto& group : cgroup::directories("cpu", proc, cgroup)) {
    const auto found = group.version == 2 ? read_v2(group.path) : read_v1(group.path);
    if (found) least = std::min(least.value_or(*found), *found);
  }
  return least;
}

}  // namespace cpu

std::size_t available_cores() {
  std::size_t cores = cpu::affinity();
  if (const auto quota = cpu::quota()) {
    cores = std::min(cores, static_cast<std::size_t>(std::ceil(*quota)));
  }
  return std::max<std::size_t>(cores, 1);
}

}  // namespace aegis
