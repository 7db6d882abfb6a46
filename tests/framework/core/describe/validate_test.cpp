#include <boost/test/unit_test.hpp>
#include <cmath>

#include "samples.h"

using namespace aegis;
using namespace std::chrono_literals;

namespace {

template <class T>
std::string complaints(const T& object, std::string_view pointer = "") {
  std::vector<FieldError> errors;
  validate(describe<T>(), &object, errors, pointer);
  std::string lines;
  for (const auto& error : errors) {
    lines += (lines.empty() ? "" : "\n") + error.pointer + " " + error.message;
  }
  return lines;
}

sample::Shield shield(std::string name) {
  return {.name = std::move(name)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(validation)

BOOST_AUTO_TEST_CASE(what_keeps_every_rule_is_valid) {
  BOOST_TEST(complaints(shield("Dragon Scale")) == "");
  BOOST_TEST(complaints(sample::Bounds{}) == "");
}

BOOST_AUTO_TEST_CASE(integers_have_bounds) {
  BOOST_TEST(complaints(sample::Shield{.name = "a", .defense_rating = -1}) ==
             "/defense_rating must be at least 0");
  BOOST_TEST(complaints(sample::Shield{.name = "a", .defense_rating = 101}) ==
             "/defense_rating must be at most 100");
  BOOST_TEST(complaints(sample::Shield{.name = "a", .defense_rating = 0}) == "");
  BOOST_TEST(complaints(sample::Shield{.name = "a", .defense_rating = 100}) == "");
}

BOOST_AUTO_TEST_CASE(reals_have_bounds) {
  BOOST_TEST(complaints(sample::Bounds{.real = 0.25}) == "");
  BOOST_TEST(complaints(sample::Bounds{.real = 0.2}) == "/real must be at least 0.25");
  BOOST_TEST(complaints(sample::Bounds{.real = 0.8}) == "/real must be at most 0.75");
  BOOST_TEST(complaints(sample::Bounds{.whole_limits = -0.1}) ==
             "/whole_limits must be at least 0");
  BOOST_TEST(complaints(sample::Bounds{.whole_limits = 2.5}) == "/whole_limits must be at most 2");
  BOOST_TEST(complaints(sample::Bounds{.real = std::nan("")}) ==
             "/real must be at least 0.25\n/real must be at most 0.75");
}

BOOST_AUTO_TEST_CASE(durations_have_bounds_in_milliseconds) {
  BOOST_TEST(complaints(sample::Bounds{.timeout = 100ms}) == "/timeout must be at least 500ms");
  BOOST_TEST(complaints(sample::Bounds{.timeout = 2min}) == "/timeout must be at most 1m");
}

BOOST_AUTO_TEST_CASE(lengths_are_in_characters_of_text) {
  BOOST_TEST(complaints(shield("")) == "/name must be at least 1 character long");
  BOOST_TEST(complaints(shield(std::string(80, 'x'))) == "");
  BOOST_TEST(complaints(shield(std::string(81, 'x'))) ==
             "/name must be at most 80 characters long");
  std::string dragons;
  for (int i = 0; i < 80; ++i) dragons += "龍";  // 240 bytes
  BOOST_TEST(complaints(shield(dragons)) == "");
  BOOST_TEST(complaints(shield(dragons + "!")) == "/name must be at most 80 characters long");
}

BOOST_AUTO_TEST_CASE(lengths_are_in_bytes_of_bytes) {
  BOOST_TEST(complaints(sample::Bounds{.key = {}}) == "/key must be at least 1 byte long");
  BOOST_TEST(complaints(sample::Bounds{.key = Bytes(3)}) == "/key must be at most 2 bytes long");
}

BOOST_AUTO_TEST_CASE(a_choice_is_one_of_the_list) {
  BOOST_TEST(complaints(sample::Shield{.name = "a", .material = "gold"}) ==
             "/material must be one of: iron, steel");
}

BOOST_AUTO_TEST_CASE(text_that_no_database_can_store_is_refused) {
  BOOST_TEST(complaints(shield(std::string("a\0b", 3))) ==
             "/name must not contain the character U+0000");
  BOOST_TEST(complaints(shield("\xC3(")) == "/name must be valid UTF-8");
}

BOOST_AUTO_TEST_CASE(an_empty_optional_is_valid_a_full_one_is_checked) {
  BOOST_TEST(complaints(sample::Bounds{.rank = std::nullopt}) == "");
  BOOST_TEST(complaints(sample::Bounds{.rank = 0}) == "/rank must be at least 1");
}

BOOST_AUTO_TEST_CASE(nested_structs_are_checked) {
  const sample::Knight knight{.shield = shield("a"),
                              .spare = sample::Shield{},
                              .collection = {shield("b"), shield("")},
                              .titles = {"Sir", std::nullopt, std::string(1, '\0')},
                              .squires = std::vector<std::string>{"\xFF"}};
  BOOST_TEST(complaints(knight, "/knight") ==
             "/knight/spare/name must be at least 1 character long\n"
             "/knight/collection/1/name must be at least 1 character long\n"
             "/knight/titles/2 must not contain the character U+0000\n"
             "/knight/squires/0 must be valid UTF-8");
}

BOOST_AUTO_TEST_CASE(all_that_one_value_breaks_is_named) {
  const sample::Shield bad{.name = "", .defense_rating = -1, .material = std::string(1, '\0')};
  BOOST_TEST(complaints(bad) ==
             "/name must be at least 1 character long\n"
             "/defense_rating must be at least 0\n"
             "/material must not contain the character U+0000\n"
             "/material must be one of: iron, steel");
}

BOOST_AUTO_TEST_CASE(no_more_than_100_complaints) {
  const sample::Knight knight{.shield = shield("a"),
                              .collection = std::vector<sample::Shield>(1000)};
  std::vector<FieldError> errors;
  validate(describe<sample::Knight>(), &knight, errors);
  BOOST_TEST(errors.size() == 100U);
}

BOOST_AUTO_TEST_CASE(one_value_is_checked_under_a_name_of_the_caller) {
  Rules rules;
  rules.le = 100;
  const int limit = 200;
  std::vector<FieldError> errors;
  validate(detail::type_of<int>(), rules, &limit, errors, "limit");
  BOOST_REQUIRE(errors.size() == 1U);
  BOOST_TEST(errors[0].pointer == "limit");
  BOOST_TEST(errors[0].message == "must be at most 100");
}

BOOST_AUTO_TEST_CASE(a_field_is_required_when_it_says_so_or_its_default_is_invalid) {
  const auto required = [](const Object& description, std::string_view name) {
    return is_required(description, *description.find(name));
  };
  BOOST_TEST(required(describe<sample::Shield>(), "name"));
  BOOST_TEST(!required(describe<sample::Shield>(), "defense_rating"));
  BOOST_TEST(!required(describe<sample::Shield>(), "id"));
  BOOST_TEST(required(describe<sample::Bounds>(), "agreed"));
  BOOST_TEST(!required(describe<sample::Bounds>(), "real"));
  BOOST_TEST(required(describe<sample::Knight>(), "shield"));  // its default has no name
  BOOST_TEST(!required(describe<sample::Knight>(), "spare"));
}

BOOST_AUTO_TEST_SUITE_END()
