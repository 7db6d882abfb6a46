#include "cli/files.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/temporary_folder.h"

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, int code) {
  throw fs::filesystem_error("", path, std::error_code(code, std::generic_category()));
}

/// Its `content`, beside its place.
void write_new(const fs::path& path, const Edit& edit, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out << content;
  out.close();
  if (!out) fail(edit.path, errno != 0 ? errno : EIO);
  using enum fs::perms;
  if (fs::exists(edit.path)) {
    fs::permissions(path, fs::status(edit.path).permissions());
  } else if (edit.executable) {
    fs::permissions(path, owner_exec | group_exec | others_exec, fs::perm_options::add);
  }
}

void move(const fs::path& from, const fs::path& to) {
  if (to.has_parent_path()) fs::create_directories(to.parent_path());
  fs::rename(from, to);
}

void remove_empty_folders_above(fs::path path) {
  std::error_code ignored;  // such as "not empty", which ends it
  while (path.has_parent_path()) {
    path = path.parent_path();
    if (!fs::is_empty(path, ignored) || !fs::remove(path, ignored)) return;
  }
}

}  // namespace

std::optional<std::string> read_file(const std::string& path) {
  if (!fs::exists(path)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) fail(path, errno != 0 ? errno : EIO);
  return std::move(text).str();
}

void apply(const std::vector<Edit>& edits) {
  const TemporaryFolder work(".");
  const fs::path before = work.path() / "before", after = work.path() / "after";
  for (const Edit& edit : edits) {
    if (edit.content) write_new(after / edit.path, edit, *edit.content);
  }
  std::vector<std::pair<fs::path, fs::path>> moved;
  const auto step = [&](const fs::path& from, const fs::path& to) {
    move(from, to);
    moved.emplace_back(from, to);
  };
  try {
    for (const Edit& edit : edits) {
      if (fs::exists(edit.path)) step(edit.path, before / edit.path);
      if (edit.content) step(after / edit.path, edit.path);
    }
  } catch (...) {
    for (auto undo = moved.rbegin(); undo != moved.rend(); ++undo) {
      std::error_code ignored;  // the first failure is the one to tell
      fs::rename(undo->second, undo->first, ignored);
      remove_empty_folders_above(undo->second);
    }
    throw;
  }
  for (const Edit& edit : edits) {
    if (!edit.content) remove_empty_folders_above(edit.path);
  }
}

}  // namespace aegis::cli
