#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace aegis::cli {

/// A new folder, gone at the end with what is in it.
class TemporaryFolder {
 public:
  /// In `parent`. Throws std::filesystem::filesystem_error.
  explicit TemporaryFolder(const std::filesystem::path& parent) {
    std::string name = (parent / ".aegis-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::filesystem::filesystem_error("cannot write", parent,
                                              std::error_code(errno, std::generic_category()));
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_{};
};

}  // namespace aegis::cli
