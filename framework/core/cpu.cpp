#include "core/cpu.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string_view>
#include <thread>

#include "aegis/core/runtime.h"

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

// The least of a group and those it lies in, up to the mount point. A group that is not mounted
// here (seen from inside a container) counts as the mount point.
template <typename Read>
void take_least(std::optional<double>& least, const std::string& mount, std::string group,
                Read read) {
  for (;;) {
    if (const auto found = read(mount + group)) least = std::min(least.value_or(*found), *found);
    if (group.empty()) return;
    group.resize(group.find_last_of('/'));
  }
}

bool lists(std::string_view comma_separated, std::string_view name) {
  for (;;) {
    const std::size_t end = comma_separated.find(',');
    if (comma_separated.substr(0, end) == name) return true;
    if (end == std::string_view::npos) return false;
    comma_separated.remove_prefix(end + 1);
  }
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
  std::ifstream groups(proc + "/self/cgroup");
  // Lines of "id:controllers:/group"; version 2 has one, "0::/group" (cgroups(7)).
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (group.empty() || group.front() != '/') continue;
    if (group.back() == '/') group.pop_back();
    if (controllers.empty()) {
      take_least(least, cgroup, group, read_v2);
    } else if (lists(controllers, "cpu")) {
      take_least(least, cgroup + "/cpu", group, read_v1);
    }
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
