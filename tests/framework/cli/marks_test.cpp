// Which lines of the template a project has.
#include "cli/marks.h"

#include <boost/test/unit_test.hpp>
#include <stdexcept>

using namespace aegis::cli;

namespace {

std::string applied(std::string_view text, std::vector<std::string> components) {
  return apply_marks(text, Choice::of(components), "armoury", "a file");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_line_belongs_to_its_component) {
  const std::string text = "one\ntwo;  // [worker]\nthree\n";
  BOOST_TEST(applied(text, {"worker"}) == "one\ntwo;\nthree\n");
  BOOST_TEST(applied(text, {"database"}) == "one\nthree\n");
}

BOOST_AUTO_TEST_CASE(a_mark_is_a_comment_of_any_language) {
  BOOST_TEST(applied("a # [worker]\nb -- [worker]\nc <!-- [worker] -->\n", {"worker"}) ==
             "a\nb\nc\n");
  BOOST_TEST(applied("a # [worker]\nb -- [worker]\nc <!-- [worker] -->\n", {}) == "");
}

BOOST_AUTO_TEST_CASE(a_comment_keeps_its_words) {
  BOOST_TEST(applied("  // In the same transaction: [worker]\n", {"worker"}) ==
             "  // In the same transaction:\n");
}

BOOST_AUTO_TEST_CASE(a_block_belongs_to_its_component) {
  const std::string text =
      "one\n  // [database]\ntwo\n# [worker]\nthree\n# [/worker]\n// [/database]\n";
  BOOST_TEST(applied(text, {"worker"}) == "one\ntwo\nthree\n");
  BOOST_TEST(applied(text, {"database"}) == "one\ntwo\n");
  BOOST_TEST(applied(text, {}) == "one\n");
}

BOOST_AUTO_TEST_CASE(some_lines_are_for_those_without) {
  const std::string text = "a  # [!database]\n# [!worker]\nb\n# [/worker]\nc # [sqlite]\n";
  BOOST_TEST(applied(text, {}) == "a\nb\n");
  BOOST_TEST(applied(text, {"database"}) == "b\nc\n");
  BOOST_TEST(applied(text, {"postgres", "worker"}) == "");
}

BOOST_AUTO_TEST_CASE(no_gap_is_left) {
  BOOST_TEST(applied("one\n\ntwo  // [worker]\n\nthree\n", {}) == "one\n\nthree\n");
  BOOST_TEST(applied("one\n\n// [worker]\ntwo\n// [/worker]\n", {}) == "one\n");
}

BOOST_AUTO_TEST_CASE(what_only_looks_like_a_mark_stays) {
  const std::string text = "int a[worker]\nlist[0]\n// [name of it]\n[database]\n";
  BOOST_TEST(applied(text, {}) == text);
}

BOOST_AUTO_TEST_CASE(an_image_has_the_name_in_lower_case) {
  BOOST_TEST(apply_marks("name: \"shields\"  # [image]\n", Choice::of({}), "MyArms", "") ==
             "name: \"myarms\"\n");
  BOOST_TEST(apply_marks("image: \"shields:1\"  # [image]\n", Choice::of({}), "MyArms", "") ==
             "image: \"myarms:1\"\n");
}

BOOST_AUTO_TEST_CASE(the_name_is_the_projects) {
  BOOST_TEST(applied("App app{\"shields\"};  // [name]\n\"shields\" {{name}} {{version}}\n", {}) ==
             "App app{\"armoury\"};\n\"shields\" armoury " AEGIS_VERSION "\n");
}

BOOST_AUTO_TEST_CASE(marks_that_do_not_match_are_a_fault) {
  BOOST_CHECK_THROW(applied("// [worker]\n", {}), std::logic_error);
  BOOST_CHECK_THROW(applied("// [/worker]\n", {}), std::logic_error);
  BOOST_CHECK_THROW(applied("// [worker]\n// [/database]\n// [/worker]\n", {}), std::logic_error);
}
