#pragma once

#include <optional>
#include <string>
#include <vector>

namespace aegis::cli {

/// The file's content; nothing where there is none. Throws std::filesystem::filesystem_error.
std::optional<std::string> read_file(const std::string& path);

/// What is to become of a file.
struct Edit {
  std::string path{};
  std::optional<std::string> content{};  ///< nothing: it is removed
  bool executable = false;               ///< when it is new
};

/// Does it all, in the current folder, or nothing: what is new is written beside first, then takes
/// its place, and what was there before comes back if anything fails. Folders that get empty go.
/// Throws std::filesystem::filesystem_error.
void apply(const std::vector<Edit>& edits);

}  // namespace aegis::cli
