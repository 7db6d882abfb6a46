#include "cli/watch.h"

#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

// What says that a file has its new content. A file that is only created has none yet, but a link
// has.
constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM |
                                 IN_DELETE | IN_ONLYDIR | IN_EXCL_UNLINK;

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

}  // namespace

Changes& Changes::operator|=(Changes other) {
  configure |= other.configure;
  build |= other.build;
  restart |= other.restart;
  return *this;
}

Changes changes_of(const fs::path& path) {
  if (path == ".env") return {.restart = true};
  if (path == "CMakeLists.txt") return {.build = true};
  if (path == "CMakePresets.json") return {.configure = true};
  // What editors put beside a file for a while: .x.swp, x~, #x#, and 4913 where vim tries if it
  // may.
  const std::string name = path.filename().string();
  if (name.starts_with('.') || name.starts_with('#') || name.ends_with('~') || name == "4913") {
    return {};
  }
  return {.build = is_below(path, "app"), .restart = is_below(path, "migrations")};
}

Watch::Watch() : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!inotify_) throw std::system_error(errno, std::generic_category(), "inotify_init");
  add(".");
  add_with_folders("app");
  add_with_folders("migrations");
}

void Watch::add(const fs::path& folder) {
  const int number = ::inotify_add_watch(inotify_.get(), folder.c_str(), events);
  if (number >= 0) {
    folders_[number] = folder == "." ? fs::path() : folder;
  } else if (errno == ENOSPC) {
    throw std::system_error(errno, std::generic_category(),
                            "Too many folders are watched; raise fs.inotify.max_user_watches with "
                            "sysctl");
  }  // else it is gone again, or not there yet
}

void Watch::add_with_folders(const fs::path& folder) {
  add(folder);
  std::error_code gone;
  for (fs::recursive_directory_iterator entry(folder, gone), end; !gone && entry != end;
       entry.increment(gone)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) add(entry->path());
  }
}

void Watch::remove_with_folders(const fs::path& folder) {
  std::erase_if(folders_, [&](const auto& each) {
    if (!is_below(each.second, folder)) return false;
    ::inotify_rm_watch(inotify_.get(), each.first);
    return true;
  });
}

Changes Watch::read() {
  Changes changes;
  alignas(inotify_event) std::array<char, 64 * (sizeof(inotify_event) + NAME_MAX + 1)> buffer;
  ssize_t size = 0;
  while ((size = ::read(inotify_.get(), buffer.data(), buffer.size())) > 0) {
    for (const char *at = buffer.data(), *end = at + size; at < end;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      at += sizeof event + event.len;
      if (event.mask & IN_Q_OVERFLOW) {  // what was lost may be anything
        add_with_folders("app");
        add_with_folders("migrations");
        changes |= {.configure = true, .build = true, .restart = true};
      }
      if (event.mask & IN_IGNORED) folders_.erase(event.wd);
      const auto folder = folders_.find(event.wd);
      if (folder == folders_.end() || event.len == 0) continue;
      const fs::path path = folder->second / event.name;
      const Changes change = changes_of(path);
      if (!change.any()) continue;
      changes |= change;
      if (!(event.mask & IN_ISDIR)) continue;
      if (event.mask & IN_MOVED_FROM) remove_with_folders(path);
      if (event.mask & (IN_CREATE | IN_MOVED_TO)) add_with_folders(path);
    }
  }
  return changes;
}

}  // namespace aegis::cli
