#include "cli/files.h"

#include <cerrno>
#include <csignal>
#include <fstream>

#include "cli/temporary_folder.h"

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, std::error_code code) {
  throw fs::filesystem_error("", path, code);
}

[[noreturn]] void fail(const fs::path& path, int code) {
  fail(path, std::error_code(code, std::generic_category()));
}

/// What ends this program waits as long as it exists.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t ends;
    ::sigemptyset(&ends);
    for (const int each : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ends, each);
    ::sigprocmask(SIG_BLOCK, &ends, &before_);
  }
  ~BlockedSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

/// Throws unless a file can be in this place of the folder, or is there.
void check_place(const fs::path& folder, const fs::path& path) {
  if (fs::is_directory(fs::symlink_status(folder / path))) fail(folder / path, EISDIR);
  for (fs::path above = path.parent_path(); !above.empty(); above = above.parent_path()) {
    const auto status = fs::symlink_status(folder / above);
    if (fs::exists(status) && !fs::is_directory(status)) fail(folder / above, ENOTDIR);
  }
}

/// Beside its `place`: with the permissions of what is there, and in its name if it fails.
void write_new(const fs::path& path, const std::string& content, bool executable,
               const fs::path& place) {
  try {
    write_file(path, content);
  } catch (const fs::filesystem_error& error) {
    fail(place, error.code());
  }
  using enum fs::perms;
  if (fs::exists(place)) {
    fs::permissions(path, fs::status(place).permissions());
  } else if (executable) {
    fs::permissions(path, owner_exec | group_exec | others_exec, fs::perm_options::add);
  }
}

void remove_empty_folders_above(const fs::path& folder, fs::path path) {
  std::error_code ignored;  // such as "not empty", which ends it
  while (path.has_parent_path()) {
    path = path.parent_path();
    if (!fs::is_empty(folder / path, ignored) || !fs::remove(folder / path, ignored)) return;
  }
}

}  // namespace

std::optional<std::string> read_file(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  if (fs::is_directory(path)) fail(path, EISDIR);
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text(fs::file_size(path), '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size()))) {
    fail(path, errno != 0 ? errno : EIO);
  }
  return text;
}

void write_file(const fs::path& path, std::string_view content) {
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  errno = 0;
  std::ofstream out(path, std::ios::binary);
  out << content;
  out.close();
  if (!out) fail(path, errno != 0 ? errno : EIO);
}

void apply(const std::vector<Edit>& edits, const fs::path& folder) {
  for (const Edit& edit : edits) check_place(folder, edit.path);
  const BlockedSignals until_done;
  const TemporaryFolder work(folder.empty() ? "." : folder);
  const fs::path before = work.path() / "before", after = work.path() / "after";
  for (const Edit& edit : edits) {
    if (!edit.content) continue;
    write_new(after / edit.path, *edit.content, edit.executable, folder / edit.path);
  }
  struct Step {
    fs::path from, to;
  };
  std::vector<Step> steps;
  const auto move = [&](const fs::path& from, const fs::path& to, const Edit& edit) {
    steps.push_back({from / edit.path, to / edit.path});
    std::error_code error;
    const fs::path above = steps.back().to.parent_path();
    if (!above.empty()) fs::create_directories(above, error);
    if (!error) fs::rename(steps.back().from, steps.back().to, error);
    if (error) fail(folder / edit.path, error);
  };
  try {
    for (const Edit& edit : edits) {
      if (fs::exists(fs::symlink_status(folder / edit.path))) move(folder, before, edit);
      if (edit.content) move(after, folder, edit);
    }
  } catch (...) {
    for (auto undo = steps.rbegin(); undo != steps.rend(); ++undo) {
      std::error_code ignored;  // the first failure is the one to tell
      fs::rename(undo->to, undo->from, ignored);
    }
    for (const Edit& edit : edits) remove_empty_folders_above(folder, edit.path);
    throw;
  }
  for (const Edit& edit : edits) {
    if (!edit.content) remove_empty_folders_above(folder, edit.path);
  }
}

}  // namespace aegis::cli
