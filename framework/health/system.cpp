#include "health/system.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <limits>
#include <mutex>
#include <string_view>

#include "aegis/core/blocking.h"
#include "aegis/core/runtime.h"
#include "aegis/health/health.h"
#include "core/cgroup.h"
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

// The number after `name` in a file of names and numbers, one pair a line.
std::int64_t read_entry(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string found; file >> found;) {
    std::int64_t number = 0;
    if (found == name && file >> number) return number;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

}  // namespace

std::optional<Memory> memory(const std::string& proc, const std::string& cgroup) {
  const std::string meminfo = proc + "/meminfo";  // in kB
  const std::int64_t total = read_entry(meminfo, "MemTotal:") * 1024;
  if (total == 0) return std::nullopt;
  Memory found{total - read_entry(meminfo, "MemAvailable:") * 1024, total, false};

  for (const auto& group : cgroup::directories("memory", proc, cgroup)) {
    const bool v2 = group.version == 2;
    const auto limit = read_number(group.path + (v2 ? "/memory.max" : "/memory.limit_in_bytes"));
    const auto used = read_number(group.path + (v2 ? "/memory.current" : "/memory.usage_in_bytes"));
    // Version 1 writes "no limit" as a number near 2^63.
    if (!limit || !used || *limit >= found.limit_bytes) continue;
    // File pages that the kernel drops when memory gets short; kubelet does not count them either.
    const std::int64_t cached =
        read_entry(group.path + "/memory.stat", v2 ? "inactive_file" : "total_inactive_file");
    found = {std::max<std::int64_t>(*used - cached, 0), *limit, true};
  }
  return found;
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
  ComponentHealth part{.name = std::move(name), .message = fmt::format("{:.0f} % used", percent)};
  part.metadata.emplace_back("percent_used", percent);
  if (percent >= warn_at) {
    part.status = HealthStatus::warning;
    part.message += ": nearly all there is";
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
  const auto block = static_cast<double>(disk.f_frsize);
  const double size = static_cast<double>(disk.f_blocks) * block;
  const double used = size - static_cast<double>(disk.f_bfree) * block;
  const double free = static_cast<double>(disk.f_bavail) * block;  // without what is root's alone
  ComponentHealth part = measured("disk", 100.0 * used / (used + free));  // as df
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
    const double seconds =
        static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
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

std::unique_ptr<HealthCheck> system_health() {
  return std::make_unique<SystemHealth>();
}

}  // namespace aegis
