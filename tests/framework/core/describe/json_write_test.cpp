#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "samples.h"

using namespace aegis;

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json(text, out);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_write)

BOOST_AUTO_TEST_CASE(a_struct_is_an_object_in_the_order_of_its_members) {
  BOOST_TEST(to_json(sample::Shield{.id = 7, .name = "Dragon Scale"}) ==
             R"({"id":7,"name":"Dragon Scale","defense_rating":10,"material":"iron",)"
             R"("enchantment":null})");
  BOOST_TEST(to_json(sample::Nothing{}) == "{}");
}

BOOST_AUTO_TEST_CASE(structs_nest) {
  const sample::Knight knight{.name = "Kay",
                              .collection = {{.name = "a"}, {.name = "b"}},
                              .scores = {1, 2},
                              .titles = {"Sir", std::nullopt}};
  const std::string rest = R"("defense_rating":10,"material":"iron","enchantment":null})";
  BOOST_TEST(to_json(knight) ==
             R"({"name":"Kay","shield":{"id":null,"name":"",)" + rest + R"(,"spare":null,)" +
                 R"("collection":[{"id":null,"name":"a",)" + rest + R"(,{"id":null,"name":"b",)" +
                 rest + R"(],"scores":[1,2],"titles":["Sir",null],"squires":null})");
  BOOST_TEST(to_json(std::vector<sample::Nothing>(2)) == "[{},{}]");
  BOOST_TEST(to_json(std::optional<sample::Nothing>{}) == "null");
}

BOOST_AUTO_TEST_CASE(every_scalar_has_its_form) {
  BOOST_TEST(to_json(true) == "true");
  BOOST_TEST(to_json(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  BOOST_TEST(to_json(std::string("a")) == R"("a")");
  BOOST_TEST(to_json(Bytes{std::byte{'f'}}) == R"("Zg==")");
  BOOST_TEST(to_json(Timestamp{}) == R"("1970-01-01T00:00:00.000000Z")");
  BOOST_TEST(to_json(std::chrono::milliseconds{90'000}) == R"("90s")");
  BOOST_TEST(to_json(std::optional<int>{}) == "null");
}

BOOST_AUTO_TEST_CASE(a_double_is_the_shortest_text_that_reads_back) {
  BOOST_TEST(to_json(0.1) == "0.1");
  BOOST_TEST(to_json(100.0) == "100");
  BOOST_TEST(to_json(-0.0) == "-0");
  BOOST_TEST(to_json(1e300) == "1e+300");
  BOOST_TEST(to_json(5e-324) == "5e-324");
  BOOST_TEST(to_json(0.1 + 0.2) == "0.30000000000000004");
}

BOOST_AUTO_TEST_CASE(a_double_that_is_not_finite_is_null) {
  BOOST_TEST(to_json(std::nan("")) == "null");
  BOOST_TEST(to_json(-std::numeric_limits<double>::infinity()) == "null");
}

BOOST_AUTO_TEST_CASE(strings_are_escaped) {
  BOOST_TEST(quoted("") == R"("")");
  BOOST_TEST(quoted(R"(say "hi" \ or /)") == R"("say \"hi\" \\ or /")");
  BOOST_TEST(quoted("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  BOOST_TEST(quoted(std::string_view{"\0\x01\x1f\x7f", 4}) == "\"\\u0000\\u0001\\u001f\x7f\"");
  BOOST_TEST(quoted("für 龍 🛡") == "\"für 龍 🛡\"");
}

BOOST_AUTO_TEST_CASE(a_character_is_escaped_wherever_it_stands) {
  for (const char c : {'"', '\\', '\n', '\x01', '\x1f'}) {
    for (std::size_t size = 1; size < 40; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, '!');  // '!' is next to the quote
        text[at] = c;
        const auto json = quoted(text);
        std::string back;
        BOOST_REQUIRE(from_json(json, back).syntax.empty());
        BOOST_REQUIRE(back == text);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(invalid_utf8_becomes_the_replacement_character) {
  const std::string r = "\xEF\xBF\xBD";
  const auto q = [](std::string text) { return '"' + text + '"'; };
  BOOST_TEST(quoted("a\xFFz") == q("a" + r + "z"));
  BOOST_TEST(quoted("\x80") == q(r));                          // a tail alone
  BOOST_TEST(quoted("\xC3") == q(r));                          // cut off
  BOOST_TEST(quoted("\xC3\"") == q(r + "\\\""));               // cut off by a quote
  BOOST_TEST(quoted("\xC0\xAF") == q(r + r));                  // longer than needed
  BOOST_TEST(quoted("\xED\xA0\x80") == q(r + r + r));          // a surrogate
  BOOST_TEST(quoted("\xF4\x90\x80\x80") == q(r + r + r + r));  // beyond U+10FFFF
  BOOST_TEST(quoted("\xF4\x8F\xBF\xBF") == q("\xF4\x8F\xBF\xBF"));
}

BOOST_AUTO_TEST_CASE(text_longer_than_any_buffer_is_whole) {
  for (const std::size_t size : {500U, 510U, 511U, 512U, 513U, 1024U, 100'000U}) {
    const std::string text(size, 'x');
    BOOST_REQUIRE(quoted(text) == '"' + text + '"');
    const std::string newlines(size, '\n');
    BOOST_REQUIRE(quoted(newlines).size() == 2 * size + 2);
  }
  const std::vector<std::int64_t> numbers(1000, -1234567890123456789);
  std::vector<std::int64_t> back;
  BOOST_TEST(from_json(to_json(numbers), back).none());
  BOOST_TEST((back == numbers));
}

BOOST_AUTO_TEST_CASE(json_is_appended) {
  std::string out = "data: ";
  append_json("x", out);
  BOOST_TEST(out == "data: \"x\"");
}

BOOST_AUTO_TEST_SUITE_END()
