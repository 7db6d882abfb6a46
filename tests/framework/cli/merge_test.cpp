// How files are merged and changed, for `aegis add`, `remove` and `update`.
#include "cli/merge.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "cli/files.h"
#include "cli/git.h"

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
