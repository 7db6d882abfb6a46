#pragma once

#include <filesystem>
#include <map>
#include <string_view>

#include "cli/descriptor.h"

namespace aegis::cli {

/// What the changes of a project ask for.
struct Changes {
  bool configure = false;  ///< CMakePresets.json
  bool build = false;      ///< app/, CMakeLists.txt
  bool restart = false;    ///< .env, migrations/: read when the program starts

  bool any() const { return configure || build || restart; }
  Changes& operator|=(Changes other);
};

/// Watches the project in this folder: inotify(7). Folders that come later are noticed.
class Watch {
 public:
  /// Throws std::system_error.
  Watch();

  /// Readable when something has happened.
  int descriptor() const { return inotify_.get(); }
  /// What has happened until now; does not wait.
  Changes read();

 private:
  void add(const std::filesystem::path& folder);
  void add_with_folders(const std::filesystem::path& folder);
  void remove_with_folders(const std::filesystem::path& folder);

  Descriptor inotify_;
  std::map<int, std::filesystem::path> folders_;  // by inotify's number
};

/// What a change of this file asks for, by its path below the project's folder.
Changes changes_of(const std::filesystem::path& path);

}  // namespace aegis::cli
