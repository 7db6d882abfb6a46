// How files are merged and changed, for `aegis add`, `remove` and `update`.
#include "cli/merge.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>

#include "cli/files.h"
#include "cli/git.h"
#include "cli/manifest.h"
#include "cli/usage_error.h"

using namespace aegis::cli;

namespace fs = std::filesystem;

namespace {

/// An empty folder to work in.
class Workplace {
 public:
  Workplace() : before_(fs::current_path()) {
    fs::remove_all(path_);
    fs::create_directories(path_);
    fs::current_path(path_);
  }
  ~Workplace() {
    fs::current_path(before_);
    fs::remove_all(path_);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

 private:
  fs::path before_;
  fs::path path_ = fs::current_path() / "merge_test";
};

/// No file can be longer than `bytes`, as on a disk that is nearly full.
class ShortFiles {
 public:
  explicit ShortFiles(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~ShortFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, signal_before_);
  }
  ShortFiles(const ShortFiles&) = delete;
  ShortFiles& operator=(const ShortFiles&) = delete;

 private:
  sighandler_t signal_before_ = ::signal(SIGXFSZ, SIG_IGN);
  rlimit before_{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_blob_has_the_id_that_git_gives_it) {
  BOOST_TEST(git::blob_id("hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a");
  BOOST_TEST(git::blob_id("") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

BOOST_AUTO_TEST_CASE(lines_that_both_have_added_to_a_list_are_both_taken) {
  const auto merged = git::merge("a\n", "a\nmine\n", "a\ntheirs\n", true);
  BOOST_TEST(!merged.conflict);
  BOOST_TEST(merged.text == "a\nmine\ntheirs\n");
  BOOST_TEST(git::merge("a\n", "a\nmine\n", "a\ntheirs\n", false).conflict);
}

BOOST_AUTO_TEST_CASE(a_line_is_removed_from_between_added_ones) {
  const auto merged = git::merge("a\nold\n", "a\nmine\nold\nalso mine\n", "a\n", true);
  BOOST_TEST(!merged.conflict);
  BOOST_TEST(merged.text == "a\nmine\nalso mine\n");
}

BOOST_AUTO_TEST_CASE(includes_come_in_order) {
  const auto merged =
      git::merge("\n", "#include \"c.h\"\n\n", "#include \"b.h\"\n#include \"d.h\"\n\n", true);
  BOOST_TEST(merged.text == "#include \"b.h\"\n#include \"c.h\"\n#include \"d.h\"\n\n");
}

BOOST_AUTO_TEST_CASE(a_line_that_both_have_changed_is_a_conflict_in_a_list_too) {
  const auto merged = git::merge("a\nold\n", "a\nmine\n", "a\ntheirs\n", true);
  BOOST_TEST(merged.conflict);
  BOOST_TEST(merged.text.find("<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> Aegis") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(lines_that_end_with_crlf_are_merged_as_others_and_stay_so) {
  const std::string base = "a\nb\nc\n";
  const std::vector<ProjectFile> theirs{{"edited", "a\nb\nnew\n"}, {"untouched", "a\nb\nnew\n"}};
  Manifest manifest;
  for (const auto& file : theirs) manifest.files.push_back({file.path, git::blob_id(base)});
  const auto changes =
      merge_files({.base = manifest,
                   .theirs = theirs,
                   .followed = {},
                   .mine = [](const std::string& path) -> std::optional<std::string> {
                     return path == "edited" ? "mine\r\na\r\nb\r\nc\r\n" : "a\r\nb\r\nc\r\n";
                   },
                   .generated = [&](const std::string&) { return base; }});
  BOOST_REQUIRE(changes.size() == 2u);
  BOOST_TEST(changes[0].after.value() == "mine\r\na\r\nb\r\nnew\r\n");
  BOOST_TEST(changes[1].after.value() == "a\r\nb\r\nnew\r\n");
  for (const auto& change : changes) BOOST_TEST(to_text(change.what) == "changed");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_to_be_merged_is_told) {
  const std::string text(4096, 'a');
  const ShortFiles limit(1024);
  BOOST_CHECK_THROW(git::merge(text, text, text, false), fs::filesystem_error);
  BOOST_CHECK_THROW(git::diff("a", text, text, false), fs::filesystem_error);
}

BOOST_AUTO_TEST_CASE(a_folder_is_no_file) {
  const Workplace here;
  fs::create_directories("folder/below");
  BOOST_CHECK_THROW(read_file("folder"), fs::filesystem_error);
  BOOST_CHECK_THROW(apply({{"folder", "text"}}), fs::filesystem_error);
  BOOST_CHECK_THROW(apply({{"folder", {}}}), fs::filesystem_error);
  BOOST_TEST(fs::is_directory("folder/below"));
}

BOOST_AUTO_TEST_CASE(what_is_behind_a_link_is_left_alone) {
  const Workplace here;
  apply({{"elsewhere/a", "one"}});
  fs::create_directory("project");
  fs::create_directory_symlink("../elsewhere", "project/link");
  BOOST_CHECK_THROW(apply({{"link/a", {}}}, "project"), fs::filesystem_error);
  BOOST_TEST(*read_file("elsewhere/a") == "one");
}

BOOST_AUTO_TEST_CASE(a_failure_names_the_file_in_its_place) {
  const Workplace here;
  apply({{"project/a", "a file"}});
  const auto place_of_failure = [](const Edit& edit) {
    try {
      apply({edit}, "project");
    } catch (const fs::filesystem_error& error) {
      return error.path1().string();
    }
    return std::string();
  };
  BOOST_TEST(place_of_failure({"a/below", "x"}) == "project/a");
  const ShortFiles limit(1024);
  BOOST_TEST(place_of_failure({"a", std::string(4096, 'x')}) == "project/a");
}

BOOST_AUTO_TEST_CASE(files_are_changed_all_or_none) {
  const Workplace here;
  apply({{"a", "one"}, {"folder/b", "two"}, {"script", "three", true}});
  BOOST_TEST(*read_file("folder/b") == "two");
  BOOST_CHECK((fs::status("script").permissions() & fs::perms::owner_exec) != fs::perms::none);

  // "a" is a file: there can be no "a/below".
  BOOST_CHECK_THROW(apply({{"a", "changed"}, {"folder/b", {}}, {"new/c", "x"}, {"a/below", "x"}}),
                    fs::filesystem_error);
  BOOST_TEST(*read_file("a") == "one");
  BOOST_TEST(*read_file("folder/b") == "two");
  BOOST_TEST(!fs::exists("new"));

  apply({{"folder/b", {}}, {"a", "changed"}});
  BOOST_TEST(!fs::exists("folder"));
  BOOST_TEST(*read_file("a") == "changed");
  BOOST_TEST(std::distance(fs::directory_iterator("."), {}) == 2);  // and nothing is left over
}

BOOST_AUTO_TEST_CASE(a_manifest_names_files_of_its_project_only) {
  const auto manifest = [](std::string_view name, std::string_view path, std::string_view id) {
    return fmt::format(
        R"({{"aegis":"0.1.0","name":"{}","components":[],"files":[{{"path":"{}","id":"{}"}}]}})",
        name, path, id);
  };
  const std::string id(40, 'a');
  BOOST_TEST(Manifest::parse(manifest("armoury", "app/..main.cpp", id)).files.size() == 1u);
  for (const auto* path : {"../precious.txt", "/etc/hosts", "app/../../x", "./a", "a//b", "a/", "",
                           ".", "..", ".git/config", "app/.git/config"}) {
    BOOST_TEST_CONTEXT(path) {
      BOOST_CHECK_THROW(Manifest::parse(manifest("armoury", path, id)), UsageError);
    }
  }
  for (const std::string wrong :
       {"", "abc", "--batch", "../../../../../../../../../../../../../x"}) {
    BOOST_CHECK_THROW(Manifest::parse(manifest("armoury", "a", wrong)), UsageError);
  }
  for (const auto* name : {"", "x$(touch y)", R"(x\ny)", "../x", "test"}) {
    BOOST_CHECK_THROW(Manifest::parse(manifest(name, "a", id)), UsageError);
  }
}
