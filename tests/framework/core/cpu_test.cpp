#include "core/cpu.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "aegis/core/runtime.h"

namespace fs = std::filesystem;

namespace {

// A /proc and a /sys/fs/cgroup of our own.
struct Machine {
  fs::path root = fs::temp_directory_path() / ("aegis-cpu-test-" + std::to_string(::getpid()));

  Machine() { fs::create_directories(root); }
  ~Machine() { fs::remove_all(root); }

  void file(const std::string& path, const std::string& content) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << content;
  }
  std::optional<double> quota() const {
    return aegis::cpu::quota((root / "proc").string(), (root / "cgroup").string());
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cpu, Machine)

BOOST_AUTO_TEST_CASE(no_cgroup_no_quota) {
  BOOST_TEST(!quota().has_value());
}

BOOST_AUTO_TEST_CASE(container_of_version_2) {
  file("proc/self/cgroup", "0::/\n");
  file("cgroup/cpu.max", "150000 100000\n");
  BOOST_TEST(quota().value() == 1.5);
}

BOOST_AUTO_TEST_CASE(unlimited_in_version_2) {
  file("proc/self/cgroup", "0::/user.slice\n");
  file("cgroup/user.slice/cpu.max", "max 100000\n");
  BOOST_TEST(!quota().has_value());
}

BOOST_AUTO_TEST_CASE(parents_limit_too) {
  file("proc/self/cgroup", "0::/a/b/c\n");
  file("cgroup/a/b/c/cpu.max", "400000 100000\n");
  file("cgroup/a/cpu.max", "50000 100000\n");
  BOOST_TEST(quota().value() == 0.5);
}

BOOST_AUTO_TEST_CASE(version_1) {
  file("proc/self/cgroup", "5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n0::/\n");
  file("cgroup/cpu/docker/x/cpu.cfs_quota_us", "-1\n");
  file("cgroup/cpu/docker/x/cpu.cfs_period_us", "100000\n");
  file("cgroup/cpu/cpu.cfs_quota_us", "250000\n");
  file("cgroup/cpu/cpu.cfs_period_us", "100000\n");
  BOOST_TEST(quota().value() == 2.5);
}

BOOST_AUTO_TEST_CASE(nonsense_is_no_quota) {
  file("proc/self/cgroup", "nonsense\n:\n1:cpu:relative\n0::/x\n");
  file("cgroup/x/cpu.max", "many few\n");
  BOOST_TEST(!quota().has_value());
}

BOOST_AUTO_TEST_CASE(at_least_one_core_and_no_more_than_the_affinity) {
  BOOST_TEST(aegis::available_cores() >= 1);
  BOOST_TEST(aegis::available_cores() <= aegis::cpu::affinity());
}

BOOST_AUTO_TEST_SUITE_END()
