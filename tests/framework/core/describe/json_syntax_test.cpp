// Which texts are JSON at all: said of tricky texts by hand, and compared with Boost.JSON's own
// reader on those and on many mutations of them.
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <random>

#include "samples.h"

using namespace aegis;

namespace {

using namespace std::string_literals;

std::string nested(std::size_t depth, std::string_view open, std::string_view close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

const std::vector<std::string>& valid_texts() {
  static const std::vector<std::string> texts{
      "{}",
      "[]",
      " \t\r\n{ } \n",
      "null",
      "true",
      "false",
      "0",
      "-0",
      "1",
      "-1",
      "0.0",
      "1.5",
      "1e5",
      "1E+5",
      "1e-5",
      "-0.1e-01",
      "123456789012345678901234567890",
      "0e0",
      "1e400",
      "1e-400",
      "0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
      R"("")",
      R"("a")",
      R"("\u0000")",
      R"("\"\\\/\b\f\n\r\t")",
      R"("\u20AC")",
      R"("\uD834\uDD1E")",
      R"("\ud834\udd1e")",
      "\"\xC3\xA9\"",
      "\"\xF4\x8F\xBF\xBF\"",
      "\"\x7F\"",
      "\"\xE2\x80\xA8\"",
      R"({"a":1})",
      R"({"":0})",
      R"({"a":{"b":[1,{"c":null}]}})",
      R"([1,2,3])",
      R"([[[[]]]])",
      R"([null,true,false,"x",-1.5e3,{},[]])",
      R"({"a":1,"a":2})",
      R"({"a" : 1 , "b" : [ ] })",
      R"(["\uFFFF","\uFDD0"])",
      "[1\n]",
      nested(32, "[", "]"),
      R"({"name":"Dragon Scale","defense_rating":50,"material":"steel","id":null})",
  };
  return texts;
}

const std::vector<std::string>& invalid_texts() {
  static const std::vector<std::string> texts{
      "",
      " ",
      "\n",
      "{",
      "}",
      "[",
      "]",
      "[1",
      "[1,",
      "[1,]",
      "[,1]",
      "[1,,2]",
      "[1 2]",
      "{,}",
      R"({"a"})",
      R"({"a":})",
      R"({"a":1,})",
      R"({"a":1)",
      R"({"a")",
      R"({a:1})",
      R"({'a':1})",
      R"({"a":1 "b":2})",
      R"({1:1})",
      R"({"a"::1})",
      R"({"a":1,,"b":2})",
      "{}{}",
      "[]]",
      "1 2",
      "{} x",
      "nul",
      "nulll",
      "NULL",
      "True",
      "tru",
      "truex",
      "falsE",
      "undefined",
      "NaN",
      "Infinity",
      "-Infinity",
      "-",
      "+1",
      "01",
      "-01",
      "00",
      "1.",
      ".5",
      "1.e5",
      "1e",
      "1e+",
      "1e-",
      "1.5e",
      "0x10",
      "1_000",
      "1a",
      "--1",
      "- 1",
      "2.e3",
      "0e",
      "[-]",
      "[1e]",
      "\"",
      "\"a",
      R"("\")",
      R"("\x")",
      R"("\u12")",
      R"("\u12G4")",
      R"("\U0041")",
      R"("\uD834")",
      R"("\uD834x")",
      R"("\uD834\n")",
      R"("\uD834\u0041")",
      R"("\uDD1E")",
      R"("\a")",
      "'a'",
      "\"\t\"",
      "\"\n\"",
      "\"\x1F\"",
      "\"\0\""s,
      "\"\x80\"",
      "\"\xC3\"",
      "\"\xC3(\"",
      "\"\xC0\xAF\"",
      "\"\xE0\x80\xAF\"",
      "\"\xED\xA0\x80\"",
      "\"\xF4\x90\x80\x80\"",
      "\"\xF8\x88\x80\x80\x80\"",
      "\"\xFF\"",
      "{\"\xFF\":1}",
      "\xEF\xBB\xBF{}",
      "\xFF\xFE{\0}\0"s,
      "[1]\0"s,
      "\0"s,
      "/**/1",
      "1 // one",
      "[1]#",
      "*",
      "<html>",
      "\xC3\xA9",
      "{\"a\":\"b\"\xC2\xA0}",
      nested(33, "[", "]"),
      nested(100'000, "[", ""),
      nested(100'000, R"({"a":)", ""),
      nested(33, R"([{"a":)", ""),
      "[\"a\",\n4\n,1,",
      "\x0c[]",
      "\x0b",
      "\\u000A\"\"",
  };
  return texts;
}

/// Boost.JSON with the depth that read_json allows.
bool boost_accepts(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = 32;
  boost::system::error_code error;
  boost::json::parse({text.data(), text.size()}, error, {}, options);
  return !error;
}

/// Whether the text is JSON; the same whatever type it is read into.
bool accepted(std::string_view text) {
  sample::Knight knight;
  const auto found = from_json(text, knight);
  sample::Tree tree;
  const bool same = from_json(text, tree).syntax == found.syntax;
  BOOST_REQUIRE_MESSAGE(same, "the verdict depends on the type: " << text.substr(0, 100));
  return found.syntax.empty();
}

std::string mutated(std::string text, std::mt19937& random) {
  static constexpr std::string_view pieces[] = {"\"",
                                                "\\",
                                                "{",
                                                "}",
                                                "[",
                                                "]",
                                                ",",
                                                ":",
                                                "null",
                                                "1e9",
                                                "-",
                                                ".",
                                                "0",
                                                "\\u",
                                                "\\ud800",
                                                "\xC3",
                                                "\xA9",
                                                "\xFF",
                                                " ",
                                                "\n",
                                                "true",
                                                "\"name\":",
                                                "\"shield\":{",
                                                "\"scores\":[",
                                                "9999999999999999999999",
                                                "\0"};
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(random);
  };
  for (auto changes = below(4) + 1; changes > 0; --changes) {
    const auto at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.insert(at, pieces[below(std::size(pieces))]);
        break;
      case 1:
        text.erase(at, below(4) + 1);
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(16)));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_syntax)

BOOST_AUTO_TEST_CASE(json_is_accepted) {
  for (const auto& text : valid_texts()) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(accepted(text));
      BOOST_TEST(boost_accepts(text));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused) {
  for (const auto& text : invalid_texts()) {
    BOOST_TEST_CONTEXT(text.substr(0, 100)) {
      BOOST_TEST(!accepted(text));
      BOOST_TEST(!boost_accepts(text));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_message_says_where_and_why) {
  const auto complaint = [](std::string_view text) {
    return sample::problems<sample::Knight>(text);
  };
  BOOST_TEST(complaint("") == "line 1, column 1: the text is empty");
  BOOST_TEST(complaint(" \n") == "line 2, column 1: the text is empty");
  BOOST_TEST(complaint("{\"name\":\n\"Kay\"") == "line 2, column 6: the text ends too early");
  BOOST_TEST(complaint("{\n  \"name\": Kay\n}") == "line 2, column 11: syntax error");
  BOOST_TEST(complaint("{\"name\": \"龍\" 7}") == "line 1, column 14: syntax error");
  BOOST_TEST(complaint("{} {}") == "line 1, column 4: extra data");
  BOOST_TEST(complaint("\"\xC3(\"") == "line 1, column 2: not valid UTF-8");
  BOOST_TEST(complaint(nested(40, "[", "]")) == "line 1, column 33: nested deeper than 32 levels");
}

BOOST_AUTO_TEST_CASE(a_tree_may_be_32_levels_deep) {
  // Each level of the struct is two of JSON: an object and its array.
  const auto tree = [](std::size_t depth) { return nested(depth, R"({"children":[)", "]}"); };
  BOOST_TEST(sample::problems<sample::Tree>(tree(16)) == "");
  BOOST_TEST(sample::problems<sample::Tree>(tree(17)).ends_with("nested deeper than 32 levels"));
}

BOOST_AUTO_TEST_CASE(mutated_json_gets_the_verdict_of_boost_json_and_never_crashes) {
  std::vector<std::string> seeds;
  for (const auto* texts : {&valid_texts(), &invalid_texts()}) {
    for (const auto& text : *texts) {
      if (text.size() < 1000) seeds.push_back(text);
    }
  }
  seeds.push_back(to_json(sample::Knight{.name = "Kay",
                                         .spare = sample::Shield{.name = "a\n"},
                                         .collection = {{.name = "龍"}, {}},
                                         .scores = {1, -2},
                                         .titles = {"Sir", std::nullopt}}));
  seeds.push_back(to_json(sample::Everything{.text = "\"", .maybe_real = 1e-7}));
  std::mt19937 random{20261121};
  for (int round = 0; round < 20'000; ++round) {
    const auto text = mutated(seeds[random() % seeds.size()], random);
    BOOST_TEST_CONTEXT(text) BOOST_REQUIRE(accepted(text) == boost_accepts(text));
    sample::Everything everything;
    static_cast<void>(from_json(text, everything));
  }
}

BOOST_AUTO_TEST_CASE(random_bytes_never_crash) {
  std::mt19937 random{20261121};
  for (int round = 0; round < 5'000; ++round) {
    std::string text(random() % 64, '\0');
    for (char& c : text) c = static_cast<char>(random());
    BOOST_REQUIRE(accepted(text) == boost_accepts(text));
    // Whatever is written of them is JSON.
    std::string json;
    append_json(text, json);
    BOOST_REQUIRE(boost_accepts(json));
  }
}

BOOST_AUTO_TEST_SUITE_END()
