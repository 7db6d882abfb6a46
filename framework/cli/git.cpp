#include "cli/git.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <vector>

#include "cli/files.h"
#include "cli/manifest.h"
#include "cli/process.h"
#include "cli/temporary_folder.h"
#include "cli/usage_error.h"

namespace aegis::cli::git {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse_without_git() {
  throw UsageError("git is not installed, which this needs", "apt-get install git");
}

/// As git says it, without "fatal:".
std::string first_line(std::string_view text) {
  for (const std::string_view word : {"fatal: ", "error: "}) {
    if (text.starts_with(word)) text.remove_prefix(word.size());
  }
  return std::string(text.substr(0, text.find('\n')));
}

/// There is none, or git does not want it, such as one that belongs to somebody else.
[[noreturn]] void refuse_repository(std::string_view complaint) {
  if (complaint.find("not a git repository") != complaint.npos) {
    throw UsageError("This project is in no git repository, which would show what is changed",
                     "git init && git add --all && git commit; or --force to go on without.");
  }
  const auto begin = complaint.rfind("\tgit config ");  // what git says to do
  throw UsageError(fmt::format("git says: {}", first_line(complaint)),
                   begin == complaint.npos ? "--force to go on without git."
                                           : first_line(complaint.substr(begin + 1)));
}

using Lines = std::vector<std::string_view>;

bool contains(const Lines& lines, std::string_view line) {
  return std::ranges::find(lines, line) != lines.end();
}

/// The next line with its end; `text` becomes the rest.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  return line;
}

/// One place that both have changed.
struct Hunk {
  Lines mine{}, base{}, theirs{};

  /// Reads on after its first line. Whether it is whole.
  bool read(std::string_view& text) {
    Lines* part = &mine;
    while (!text.empty()) {
      const std::string_view line = take_line(text);
      if (line.starts_with("||||||| ")) {
        part = &base;
      } else if (line == "=======\n") {
        part = &theirs;
      } else if (line.starts_with(">>>>>>> ")) {
        return true;
      } else {
        part->push_back(line);
      }
    }
    return false;
  }

  /// Whether all that was there is still in mine: lines were only added to it.
  bool only_added() const {
    auto next = base.begin();
    for (const auto line : mine) {
      if (next != base.end() && *next == line) ++next;
    }
    return next == base.end();
  }

  /// Mine without what they have removed, then what they have added.
  std::string both() const {
    Lines lines;
    const auto add = [&](std::string_view line) {
      if (line == "\n" && !lines.empty() && lines.back() == "\n") return;
      lines.push_back(line);
    };
    for (const auto line : mine) {
      if (line == "\n" || !contains(base, line) || contains(theirs, line)) add(line);
    }
    for (const auto line : theirs) {
      if (line == "\n" || (!contains(base, line) && !contains(mine, line))) add(line);
    }
    if (std::ranges::all_of(lines, [](auto line) { return line.starts_with("#include"); })) {
      std::ranges::sort(lines);
    }
    std::string text;
    for (const auto line : lines) text += line;
    return text;
  }
};

/// A merge in which both sides of each hunk are taken; nothing where that would lose a change.
std::optional<std::string> take_both(std::string_view merged) {
  std::string text;
  while (!merged.empty()) {
    const std::string_view line = take_line(merged);
    if (!line.starts_with("<<<<<<< ")) {
      text += line;
      continue;
    }
    Hunk hunk;
    if (!hunk.read(merged) || !hunk.only_added()) return std::nullopt;
    text += hunk.both();
  }
  return text;
}

}  // namespace

std::string blob_id(std::string_view content) {
  std::string object = fmt::format("blob {}", content.size());
  object += '\0';
  object += content;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  ::SHA1(reinterpret_cast<const unsigned char*>(object.data()), object.size(), digest.data());
  std::string id;
  for (const auto byte : digest) id += fmt::format("{:02x}", byte);
  return id;
}

std::optional<std::string> read_blob(const std::string& id) {
  Answer answer = run_and_read({"git", "cat-file", "blob", id});
  if (answer.code != 0) return std::nullopt;
  return std::move(answer.text);
}

FirstCommit make_repository(const fs::path& folder, const std::string& message) {
  const auto git = [](const fs::path& where, std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-C", where});
    return run_and_read_all(std::move(words));
  };
  const auto works = [](const Answer& answer) { return answer.code == 0; };
  const fs::path parent = folder.parent_path();
  const bool inside = works(git(parent, {"rev-parse", "--is-inside-work-tree"}));
  if (inside && !works(git(parent, {"check-ignore", "--quiet", folder}))) return {};
  for (auto& words : std::initializer_list<std::vector<std::string>>{
           {"init", "--initial-branch=main"}, {"add", "--all"}, {"commit", "-m", message}}) {
    const Answer answer = git(folder, words);
    if (answer.code == no_such_program) return {};
    if (works(answer)) continue;
    return {.complaint = first_line(answer.text),
            .knows_user = works(git(folder, {"var", "GIT_COMMITTER_IDENT"}))};
  }
  return {.made = true};
}

void require_clean_tree() {
  const std::vector<std::string> command{"git", "status", "--porcelain", "--untracked-files=all",
                                         "--",  "."};
  const Answer status = run_and_read(command);
  if (status.code == no_such_program) refuse_without_git();
  if (status.code != 0) refuse_repository(run_and_read_all(command).text);
  if (!status.text.empty()) {
    const auto count = std::ranges::count(status.text, '\n');
    throw UsageError(fmt::format("{} in this project {} not committed",
                                 count == 1 ? "A file" : fmt::format("{} files", count),
                                 count == 1 ? "is" : "are"),
                     "git commit them first, so that you can go back; or --force to go on.");
  }
  if (run_quietly({"git", "ls-files", "--error-unmatch", Manifest::file}) != 0) {
    throw UsageError("git ignores this project: its folder belongs to a repository that does",
                     "git init && git add --all && git commit; or --force to go on without.");
  }
}

Merge merge(std::string_view base, std::string_view mine, std::string_view theirs, bool lists) {
  const TemporaryFolder folder(fs::temp_directory_path());
  const auto merge_file = [&](std::vector<std::string> options) {
    std::vector<std::string> command{"git", "merge-file", "--stdout"};
    command.insert(command.end(), options.begin(), options.end());
    const auto add_file = [&](const char* name, std::string_view content) {
      command.push_back(folder.path() / name);
      write_file(command.back(), content);
    };
    for (const auto* label : {"yours", "as it was generated", "Aegis " AEGIS_VERSION}) {
      command.insert(command.end(), {"-L", label});
    }
    add_file("mine", mine);
    add_file("base", base);
    add_file("theirs", theirs);
    return run_and_read(std::move(command));
  };
  Answer answer = merge_file({});
  if (answer.code == no_such_program) refuse_without_git();
  if (answer.code > no_such_program)
    throw UsageError("git cannot merge a file that is no text", "");
  if (answer.code > 0 && lists) {
    if (auto text = take_both(merge_file({"--diff3"}).text)) return {std::move(*text), false};
  }
  return {std::move(answer.text), answer.code > 0};
}

std::string diff(const std::string& path, std::string_view before, std::string_view after,
                 bool colours) {
  const TemporaryFolder folder(fs::temp_directory_path());
  write_file(folder.path() / "a" / path, before);
  write_file(folder.path() / "b" / path, after);
  return run_and_read({"git", "-C", folder.path().string(), "diff", "--no-index", "--no-prefix",
                       "--no-ext-diff", colours ? "--color=always" : "--color=never", "a/" + path,
                       "b/" + path})
      .text;
}

}  // namespace aegis::cli::git
