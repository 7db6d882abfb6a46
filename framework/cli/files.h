#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aegis::cli {

/// The file's content; nothing where there is none. Throws std::filesystem::filesystem_error, also
/// for a folder.
std::optional<std::string> read_file(const std::filesystem::path& path);

/// Makes it, or writes over it; the folders above it are made, too. Throws
/// std::filesystem::filesystem_error unless all of `content` is written.
void write_file(const std::filesystem::path& path, std::string_view content);

/// What is to become of a file.
struct Edit {
  std::string path{};
  std::optional<std::string> content{};  ///< nothing: it is removed
  bool executable = false;               ///< when it is new
};

/// Does it all, in `folder`, or nothing: what is new is written beside first, then takes its place,
/// and what was there before comes back if anything fails. SIGINT, SIGTERM and SIGHUP wait until it
/// is done. Folders that get empty go; folders in the place of a file, and what is behind symbolic
/// links, are left alone. Throws std::filesystem::filesystem_error.
void apply(const std::vector<Edit>& edits, const std::filesystem::path& folder = "");

}  // namespace aegis::cli
