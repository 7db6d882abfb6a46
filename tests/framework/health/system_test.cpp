// What the process uses of what it may use, under made-up control groups.
#include "health/system.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "aegis/health/health.h"

namespace fs = std::filesystem;
using aegis::health::Memory;

namespace {

constexpr std::int64_t mib = 1024 * 1024;

// A /proc and a /sys/fs/cgroup of our own, on a machine with 1000 MiB, of which 400 are used.
struct Machine {
  fs::path root = fs::temp_directory_path() / ("aegis-health-test-" + std::to_string(::getpid()));

  Machine() {
    file("proc/meminfo",
         "MemTotal:        1024000 kB\nMemFree:          100000 kB\nMemAvailable:     614400 kB\n");
  }
  ~Machine() { fs::remove_all(root); }

  void file(const std::string& path, const std::string& content) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << content;
  }
  void file(const std::string& path, std::int64_t number) const {
    file(path, std::to_string(number) + "\n");
  }
  Memory memory() const {
    return aegis::health::memory((root / "proc").string(), (root / "cgroup").string()).value();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(health_memory, Machine)

BOOST_AUTO_TEST_CASE(without_groups_the_machine_counts) {
  BOOST_TEST(memory().limit_bytes == 1000 * mib);
  BOOST_TEST(memory().used_bytes == 400 * mib);
  BOOST_TEST(!memory().limited_by_cgroup);
}

BOOST_AUTO_TEST_CASE(nothing_to_read_is_nothing) {
  fs::remove_all(root / "proc");
  BOOST_TEST(
      !aegis::health::memory((root / "proc").string(), (root / "cgroup").string()).has_value());
}

BOOST_AUTO_TEST_CASE(container_of_version_2) {
  file("proc/self/cgroup", "0::/\n");
  file("cgroup/memory.max", 256 * mib);
  file("cgroup/memory.current", 64 * mib);
  BOOST_TEST(memory().limit_bytes == 256 * mib);
  BOOST_TEST(memory().used_bytes == 64 * mib);
  BOOST_TEST(memory().limited_by_cgroup);
}

BOOST_AUTO_TEST_CASE(file_pages_that_the_kernel_can_drop_are_not_used) {
  file("proc/self/cgroup", "0::/\n");
  file("cgroup/memory.max", 256 * mib);
  file("cgroup/memory.current", 250 * mib);
  file("cgroup/memory.stat", "anon 1\nfile 2\ninactive_anon 3\ninactive_file 209715200\n");
  BOOST_TEST(memory().used_bytes == 50 * mib);
}

BOOST_AUTO_TEST_CASE(unlimited_in_version_2) {
  file("proc/self/cgroup", "0::/user.slice\n");
  file("cgroup/user.slice/memory.max", "max\n");
  file("cgroup/user.slice/memory.current", 64 * mib);
  BOOST_TEST(memory().limit_bytes == 1000 * mib);
  BOOST_TEST(!memory().limited_by_cgroup);
}

BOOST_AUTO_TEST_CASE(the_tightest_of_a_group_and_its_parents_counts) {
  file("proc/self/cgroup", "0::/a/b/c\n");
  file("cgroup/a/b/c/memory.max", 512 * mib);
  file("cgroup/a/b/c/memory.current", 100 * mib);
  file("cgroup/a/b/memory.max", "max\n");
  file("cgroup/a/b/memory.current", 150 * mib);
  file("cgroup/a/memory.max", 300 * mib);
  file("cgroup/a/memory.current", 200 * mib);
  BOOST_TEST(memory().limit_bytes == 300 * mib);
  BOOST_TEST(memory().used_bytes == 200 * mib);
}

BOOST_AUTO_TEST_CASE(version_1_seen_from_inside_its_container) {
  file("proc/self/cgroup", "9:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n0::/docker/x\n");
  file("cgroup/memory/memory.limit_in_bytes", 128 * mib);
  file("cgroup/memory/memory.usage_in_bytes", 100 * mib);
  file("cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 41943040\n");
  BOOST_TEST(memory().limit_bytes == 128 * mib);
  BOOST_TEST(memory().used_bytes == 60 * mib);
  BOOST_TEST(memory().limited_by_cgroup);
}

BOOST_AUTO_TEST_CASE(unlimited_in_version_1_is_a_number_near_2_to_the_63) {
  file("proc/self/cgroup", "9:memory:/docker/x\n");
  file("cgroup/memory/docker/x/memory.limit_in_bytes", 9'223'372'036'854'771'712);
  file("cgroup/memory/docker/x/memory.usage_in_bytes", 64 * mib);
  BOOST_TEST(memory().limit_bytes == 1000 * mib);
  BOOST_TEST(!memory().limited_by_cgroup);
}

BOOST_AUTO_TEST_CASE(nonsense_is_no_limit) {
  file("proc/self/cgroup", "nonsense\n:\n1:memory:relative\n0::\n0::/x\n");
  file("cgroup/x/memory.max", "much\n");
  file("cgroup/x/memory.current", "little\n");
  BOOST_TEST(!memory().limited_by_cgroup);
}

BOOST_AUTO_TEST_CASE(resident_memory_is_the_second_number_in_pages) {
  file("proc/self/statm", "5000 100 50 1 0 200 0\n");
  BOOST_TEST(aegis::health::resident_bytes((root / "proc").string()) ==
             100 * ::sysconf(_SC_PAGESIZE));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(the_system_check_tells_of_cpu_memory_and_disk) {
  boost::asio::io_context context(1);
  const auto check = aegis::system_health();
  aegis::ComponentHealth found;
  boost::asio::co_spawn(context, check->check(),
                        [&](const std::exception_ptr& error, aegis::ComponentHealth health) {
                          BOOST_TEST(!error);
                          found = std::move(health);
                        });
  context.run();

  std::vector<std::string> names;
  for (const auto& part : found.sub_components) names.push_back(part.name);
  const std::vector<std::string> wanted{"cpu", "memory", "disk"};
  BOOST_TEST(names == wanted, boost::test_tools::per_element());
  for (const auto& part : found.sub_components) {
    BOOST_TEST_CONTEXT(part.name) {
      BOOST_TEST(part.message.find(" % used") != std::string::npos);
      BOOST_TEST(part.metadata.at(0).first == "percent_used");
      const double percent = std::get<double>(part.metadata.at(0).second);
      BOOST_TEST((percent >= 0 && percent <= 100.5));
    }
  }
}
