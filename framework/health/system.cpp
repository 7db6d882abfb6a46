#include "health/system.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <mutex>
#include <string_view>

#include "aegis/core/blocking.h"
#include "aegis/core/runtime.h"
#include "aegis/health/health.h"
#include "core/cpu.h"

namespace aegis {
namespace health {

namespace {

std::optional<std::int64_t> read_number(const std::string& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  if (!(file >> number)) return std::nullopt;  // also "max": no limit
  return number;
}

// A line "Key:   123 kB" of /proc/meminfo, in bytes.
std::int64_t meminfo(const std::string& proc, std::string_view key) {
  std::ifstream file(proc + "/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ':') {
      return std::stoll(line.substr(key.size() + 1)) * 1024;
    }
  }
  return 0;
}

// The group of "id:controllers:/group" whose controllers are `wanted` (empty: version 2).
std::optional<std::string> group_of(const std::string& proc, std::string_view wanted) {
  std::ifstream groups(proc + "/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    if (controllers != wanted) continue;
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    return group;
  }
  return std::nullopt;
}

struct GroupFiles {
  std::string_view limit, used;
};

// The tightest limit on the way from the group up to the mount point, and what is used there.
std::optional<Memory> tightest(const std::string& mount, std::string group, GroupFiles files) {
  std::optional<Memory> found;
  for (;;) {
    const std::string directory = mount + group + "/";
    const auto limit = read_number(directory + std::string(files.limit));
    const auto used = read_number(directory + std::string(files.used));
    if (limit && used && (!found || *limit < found->limit_bytes)) {
      found = Memory{*used, *limit, true};
    }
    if (group.empty()) return found;
    group.resize(group.find_last_of('/'));
  }
}

}  // namespace

std::optional<Memory> memory(const std::string& proc, const std::string& cgroup) {
  const std::int64_t total = meminfo(proc, "MemTotal");
  std::optional<Memory> found;
  if (const auto group = group_of(proc, "")) {
    found = tightest(cgroup, *group, {"memory.max", "memory.current"});
  }
  if (!found) {
    if (const auto group = group_of(proc, "memory")) {
      found = tightest(cgroup + "/memory", *group,
                       {"memory.limit_in_bytes", "memory.usage_in_bytes"});
    }
  }
  // Version 1 writes "no limit" as a number near 2^63.
  if (found && (total == 0 || found->limit_bytes <= total)) return found;
  if (total == 0) return std::nullopt;
  return Memory{total - meminfo(proc, "MemAvailable"), total, false};
}

std::int64_t resident_bytes(const std::string& proc) {
  std::ifstream file(proc + "/self/statm");
  std::int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace health

namespace {

constexpr double mib = 1024.0 * 1024.0;
constexpr double warn_at = 90.0;  // percent

ComponentHealth measured(std::string name, double percent) {
  ComponentHealth part{.name = std::move(name)};
  part.metadata.emplace_back("percent_used", percent);
  if (percent >= warn_at) {
    part.status = HealthStatus::warning;
    part.message = part.name + " is nearly used up";
  }
  return part;
}

ComponentHealth memory_health() {
  const auto memory = health::memory();
  if (!memory || memory->limit_bytes <= 0) {
    return {.name = "memory", .status = HealthStatus::info, .message = "cannot be read here"};
  }
  const auto used = static_cast<double>(memory->used_bytes);
  const auto limit = static_cast<double>(memory->limit_bytes);
  ComponentHealth part = measured("memory", 100.0 * used / limit);
  part.metadata.emplace_back("used_mib", used / mib);
  part.metadata.emplace_back("limit_mib", limit / mib);
  part.metadata.emplace_back("limited_by_cgroup", memory->limited_by_cgroup);
  part.metadata.emplace_back("process_mib", static_cast<double>(health::resident_bytes()) / mib);
  return part;
}

ComponentHealth disk_health() {
  struct statvfs disk{};
  if (::statvfs(".", &disk) != 0 || disk.f_blocks == 0) {
    return {.name = "disk", .status = HealthStatus::info, .message = "cannot be read here"};
  }
  const double size = static_cast<double>(disk.f_blocks) * static_cast<double>(disk.f_frsize);
  const double free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  ComponentHealth part = measured("disk", 100.0 * (1.0 - free / size));
  part.metadata.emplace_back("free_mib", free / mib);
  part.metadata.emplace_back("size_mib", size / mib);
  return part;
}

// The process's CPU time between two checks, as a share of what it may use.
class CpuMeter {
 public:
  ComponentHealth health() {
    const auto now = std::chrono::steady_clock::now();
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const double seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    const auto quota = cpu::quota();
    const double allowed = quota ? *quota : static_cast<double>(cpu::affinity());

    const std::lock_guard lock(mutex_);
    const double elapsed = std::chrono::duration<double>(now - last_time_).count();
    if (elapsed >= 0.1) {
      percent_ = 100.0 * (seconds - last_seconds_) / (elapsed * allowed);
      last_time_ = now;
      last_seconds_ = seconds;
    }
    ComponentHealth part = measured("cpu", percent_);
    part.metadata.emplace_back("allowed_cores", allowed);
    part.metadata.emplace_back("limited_by_cgroup", quota.has_value());
    return part;
  }

 private:
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_time_ = std::chrono::steady_clock::now();
  double last_seconds_ = 0;
  double percent_ = 0;
};

class SystemHealth : public HealthCheck {
 public:
  std::string_view name() const override { return "system"; }

  awaitable<ComponentHealth> check() override {
    // The meter is shared: after a time-out the call outlives this check.
    ComponentHealth found = co_await run_blocking([meter = meter_] {
      ComponentHealth health{.name = "system"};
      health.sub_components.push_back(meter->health());
      health.sub_components.push_back(memory_health());
      health.sub_components.push_back(disk_health());
      return health;
    });
    co_return found;
  }

 private:
  std::shared_ptr<CpuMeter> meter_ = std::make_shared<CpuMeter>();
};

}  // namespace

std::unique_ptr<HealthCheck> system_health() { return std::make_unique<SystemHealth>(); }

}  // namespace aegis
