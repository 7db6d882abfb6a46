#include "core/cgroup.h"

#include <fstream>

namespace aegis::cgroup {

namespace {

bool lists(std::string_view comma_separated, std::string_view name) {
  for (;;) {
    const std::size_t end = comma_separated.find(',');
    if (comma_separated.substr(0, end) == name) return true;
    if (end == std::string_view::npos) return false;
    comma_separated.remove_prefix(end + 1);
  }
}

}  // namespace

std::vector<Directory> directories(std::string_view controller, const std::string& proc,
                                   const std::string& mount) {
  std::vector<Directory> found;
  std::ifstream groups(proc + "/self/cgroup");
  // Lines of "id:controllers:/group"; version 2 has one, "0::/group".
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (group.empty() || group.front() != '/') continue;
    if (group.back() == '/') group.pop_back();

    const int version = controllers.empty() ? 2 : 1;
    if (version == 1 && !lists(controllers, controller)) continue;
    const std::string root = version == 2 ? mount : mount + "/" + std::string(controller);
    for (;;) {
      found.push_back({root + group, version});
      if (group.empty()) break;
      group.resize(group.find_last_of('/'));
    }
  }
  return found;
}

}  // namespace aegis::cgroup
