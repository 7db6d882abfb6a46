#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace aegis::cli::git {

/// What git calls a file of this content: the SHA-1 of "blob <size>\0<content>".
std::string blob_id(std::string_view content);

/// The content that has this id, from the repository around the current folder.
std::optional<std::string> read_blob(const std::string& id);

/// What has become of a new project.
struct FirstCommit {
  bool made = false;
  std::string complaint{};  ///< git's, where it should have been made
  bool knows_user = true;   ///< git does
};
/// Makes a repository in `folder`, with all that is in it, where git is there. Does nothing inside
/// of another repository, unless that ignores the folder.
FirstCommit make_repository(const std::filesystem::path& folder, const std::string& message);

/// Throws UsageError unless the current folder is in a repository and has nothing uncommitted.
void require_clean_tree();

struct Merge {
  std::string text{};
  bool conflict = false;  ///< text has <<<<<<<, ======= and >>>>>>>
};
/// Three-way. Throws UsageError where there is no git. With `lists`, lines that both sides have
/// added at one place are no conflict: both are taken, and sorted if they are #includes.
Merge merge(std::string_view base, std::string_view mine, std::string_view theirs, bool lists);

/// The difference as `git diff` shows it.
std::string diff(const std::string& path, std::string_view before, std::string_view after,
                 bool colours);

}  // namespace aegis::cli::git
