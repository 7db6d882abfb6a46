#include "core/dotenv.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using aegis::parse_dotenv;

namespace {

struct Line {
  std::string_view text, value;
};
std::ostream& operator<<(std::ostream& out, const Line& line) {
  return out << line.text;
}

const std::array good_lines = {
    Line{"K=value", "value"},
    Line{"  K = two words  ", "two words"},
    Line{"export K=value", "value"},
    Line{"export\tK=value", "value"},
    Line{"K=", ""},
    Line{"K=   ", ""},
    Line{"K=value\r", "value"},
    Line{"K=a=b=c", "a=b=c"},
    Line{"K=value # comment", "value"},
    Line{"K=value#not a comment", "value#not a comment"},
    Line{"K= # comment", ""},
    Line{"K=#fff", "#fff"},
    Line{"K='single # $HOME \\n \" quotes'", "single # $HOME \\n \" quotes"},
    Line{"K=\"double # 'quotes'\" # comment", "double # 'quotes'"},
    Line{R"(K="a\nb\t\"c\"\\d\$e\r")", "a\nb\t\"c\"\\d$e\r"},
    Line{"K=''", ""},
    Line{"K=$(rm -rf /)`id`${HOME}", "$(rm -rf /)`id`${HOME}"},
    Line{"K=\"$(rm -rf /)`id`${HOME}\"", "$(rm -rf /)`id`${HOME}"},
    Line{"K=it's", "it's"},
    Line{"K=sqlite:///data/app.db", "sqlite:///data/app.db"},
    Line{R"(K={"foreign_keys": 1})", R"({"foreign_keys": 1})"},
    Line{"K=caf\xC3\xA9", "caf\xC3\xA9"},
};

const std::array<std::string_view, 12> bad_lines = {
    "K",        "=value",  "1K=value",  "K-K=value", "K K=value", "export K",
    "K=\"open", "K='open", "K=\"a\" b", "K='a'b",    R"(K="\q")", R"(K="\)",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(dotenv)

BOOST_DATA_TEST_CASE(value_is_read, good_lines, line) {
  const auto result = parse_dotenv(line.text);
  BOOST_TEST(result.problems.empty());
  BOOST_REQUIRE_EQUAL(result.entries.size(), 1);
  BOOST_TEST(result.entries[0].key == "K");
  BOOST_TEST(result.entries[0].value == line.value);
}

BOOST_DATA_TEST_CASE(bad_line_is_told_and_the_others_are_read, bad_lines, line) {
  const auto result = parse_dotenv("A=1\n" + std::string(line) + "\nB=2");
  BOOST_REQUIRE_EQUAL(result.problems.size(), 1);
  BOOST_TEST(result.problems[0].line == 2);
  BOOST_TEST(result.entries.size() == 2);
}

BOOST_AUTO_TEST_CASE(lines_are_counted_and_blank_ones_and_comments_skipped) {
  const auto result = parse_dotenv("\xEF\xBB\xBF# first\r\n\n  \t\n  # indented\nA=1\n\nB=2\n");
  BOOST_TEST(result.problems.empty());
  BOOST_REQUIRE_EQUAL(result.entries.size(), 2);
  BOOST_TEST(result.entries[0].line == 5);
  BOOST_TEST(result.entries[1].line == 7);
}

BOOST_AUTO_TEST_CASE(message_never_shows_the_line) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {"PASSWORD=\"hunter2"sv, "hunter2"sv, "PASSWORD='a' hunter2"sv, "hunter2=\0x"sv}) {
    const auto result = parse_dotenv(text);
    BOOST_REQUIRE_EQUAL(result.problems.size(), 1);
    BOOST_TEST(result.problems[0].message.find("hunter2") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(nothing_in_nothing_out) {
  for (const std::string_view text : {"", "\n", "\r\n", "\xEF\xBB\xBF", "#"}) {
    const auto result = parse_dotenv(text);
    BOOST_TEST(result.entries.empty());
    BOOST_TEST(result.problems.empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
