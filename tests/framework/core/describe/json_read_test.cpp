#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "samples.h"

using namespace aegis;
using namespace std::chrono_literals;
using sample::problems;

namespace {

/// Reads `json` into a new T, which it must fit.
template <class T>
T read(std::string_view json) {
  T object{};
  const auto found = problems(json, object);
  BOOST_TEST_CONTEXT(json) BOOST_TEST(found == "");
  return object;
}

template <class T>
void goes_round(const T& object) {
  const auto json = to_json(object);
  BOOST_TEST_CONTEXT(json) BOOST_TEST((read<T>(json) == object));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_read)

BOOST_AUTO_TEST_CASE(members_are_read_and_missing_ones_keep_their_defaults) {
  const auto shield = read<sample::Shield>(R"({"name": "Dragon Scale", "enchantment": "fire"})");
  BOOST_TEST(shield.name == "Dragon Scale");
  BOOST_TEST(shield.defense_rating == 10);
  BOOST_TEST(shield.material == "iron");
  BOOST_TEST(shield.enchantment.value() == "fire");
  BOOST_TEST(!shield.id);
}

BOOST_AUTO_TEST_CASE(the_order_of_members_does_not_matter) {
  BOOST_TEST(
      (read<sample::Shield>(R"({"enchantment":null,"material":"steel","name":"a","id":7})") ==
       sample::Shield{.id = 7, .name = "a", .material = "steel"}));
}

BOOST_AUTO_TEST_CASE(every_type_goes_through_json_and_back) {
  goes_round(sample::Everything{});
  goes_round(sample::Everything{
      .boolean = true,
      .int16 = std::numeric_limits<std::int16_t>::min(),
      .int32 = std::numeric_limits<std::int32_t>::max(),
      .int64 = std::numeric_limits<std::int64_t>::min(),
      .long_long = std::numeric_limits<long long>::max(),
      .uint16 = std::numeric_limits<std::uint16_t>::max(),
      .uint32 = std::numeric_limits<std::uint32_t>::max(),
      .real = 0.1 + 0.2,
      .text = "say \"hi\" to 龍 \\ \n",
      .bytes = {std::byte{0}, std::byte{255}, std::byte{7}},
      .timestamp = Timestamp{std::chrono::microseconds{-1}},
      .duration = 1500ms,
      .maybe_boolean = false,
      .maybe_int16 = 0,
      .maybe_int32 = -1,
      .maybe_int64 = std::numeric_limits<std::int64_t>::max(),
      .maybe_long_long = -1,
      .maybe_uint16 = 1,
      .maybe_uint32 = 2,
      .maybe_real = -1e-300,
      .maybe_text = "",
      .maybe_bytes = Bytes{},
      .maybe_timestamp = Timestamp{},
      .maybe_duration = 0ms,
  });
  goes_round(sample::Knight{.name = "Kay",
                            .shield = {.name = "a"},
                            .spare = sample::Shield{.name = "b"},
                            .collection = {{.name = "c"}, {.name = "d", .enchantment = "fire"}},
                            .scores = {1, -2},
                            .titles = {"Sir", std::nullopt, ""},
                            .squires = std::vector<std::string>{}});
  goes_round(sample::Tree{{{}, {{{}, {}}}}});
  goes_round(sample::Nothing{});
  goes_round(std::vector<sample::Tree>(3));
  goes_round(std::optional<sample::Nothing>{});
}

BOOST_AUTO_TEST_CASE(every_double_goes_round) {
  for (const double value :
       {0.1, 1.0 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 123456789012345680.0,
        9007199254740993.0, 8.5171e+37, -3.1e-7, 0.30000000000000004, 7.2057594037927933e+16}) {
    BOOST_TEST(read<double>(to_json(value)) == value);
  }
  BOOST_TEST(std::signbit(read<double>("-0")));
  BOOST_TEST(std::signbit(read<double>("-0.0")));
  BOOST_TEST(read<double>("9007199254740993") == 9007199254740992.0);  // to even
  BOOST_TEST(read<double>("18446744073709551616") == 18446744073709551616.0);
  BOOST_TEST(read<double>("12345678901234567890123456789") == 12345678901234567890123456789.0);
  BOOST_TEST(read<double>("1E+2") == 100.0);
  BOOST_TEST(read<double>("1e-400") == 0.0);
}

BOOST_AUTO_TEST_CASE(an_integer_out_of_its_range_names_the_range) {
  for (const auto number :
       {"2147483648", "-2147483649", "9223372036854775808", "18446744073709551616",
        "-9223372036854775809", "123456789012345678901234567890"}) {
    BOOST_TEST_CONTEXT(number) {
      BOOST_TEST(problems<sample::Shield>(std::string(R"({"name":"a","defense_rating":)") + number +
                                          "}") ==
                 "/defense_rating must be between -2147483648 and 2147483647");
    }
  }
  BOOST_TEST(problems<std::uint16_t>("-1") == " must be between 0 and 65535");
  BOOST_TEST(problems<std::int64_t>("9223372036854775808") ==
             " must be between -9223372036854775808 and 9223372036854775807");
  BOOST_TEST(read<std::int64_t>("-9223372036854775808") ==
             std::numeric_limits<std::int64_t>::min());
}

BOOST_AUTO_TEST_CASE(an_integer_may_be_written_with_a_fraction_or_an_exponent) {
  BOOST_TEST(read<int>("1.0") == 1);
  BOOST_TEST(read<int>("-0.0") == 0);
  BOOST_TEST(read<int>("1e2") == 100);
  BOOST_TEST(read<int>("-12.50E1") == -125);
  BOOST_TEST(read<std::int64_t>("9007199254740991.0") == 9007199254740991);
  BOOST_TEST(problems<int>("3e9") == " must be between -2147483648 and 2147483647");
}

BOOST_AUTO_TEST_CASE(a_number_that_is_not_whole_or_not_exactly_known_is_no_integer) {
  for (const auto number :
       {"0.5", "1e-2", "1e400", "9007199254740993.0", "123456789012345678901234567890.0"}) {
    BOOST_TEST_CONTEXT(number) BOOST_TEST(problems<int>(number) == " must be an integer");
  }
}

BOOST_AUTO_TEST_CASE(a_number_beyond_any_double_is_refused) {
  BOOST_TEST(problems<double>("1e400").starts_with(" must be between -1.79"));
  BOOST_TEST(problems<double>("-1e400").starts_with(" must be between -1.79"));
}

BOOST_AUTO_TEST_CASE(a_value_of_another_kind_is_refused) {
  BOOST_TEST(problems<sample::Everything>(
                 R"({"boolean":1,"int16":"1","int32":true,"real":"1","text":1,"bytes":[],)"
                 R"("timestamp":0,"duration":10,"maybe_text":{},"maybe_int16":[1]})") ==
             "/boolean must be true or false\n"
             "/int16 must be an integer\n"
             "/int32 must be an integer\n"
             "/real must be a number\n"
             "/text must be a string\n"
             "/bytes must be a base64 string (RFC 4648, padded)\n"
             "/timestamp must be a time as in RFC 3339, such as 2026-11-21T11:39:40Z\n"
             "/duration must be a duration, such as 10s, 500ms, 2m or 1h\n"
             "/maybe_text must be a string\n"
             "/maybe_int16 must be an integer");
  BOOST_TEST(problems<sample::Knight>(
                 R"({"shield":[],"collection":{},"spare":7,"scores":"1","squires":false})") ==
             "/shield must be an object\n"
             "/collection must be an array\n"
             "/spare must be an object\n"
             "/scores must be an array\n"
             "/squires must be an array");
  BOOST_TEST(problems<sample::Shield>("[]") == " must be an object");
  BOOST_TEST(problems<sample::Shield>("7") == " must be an object");
  BOOST_TEST(problems<std::vector<int>>("{}") == " must be an array");
}

BOOST_AUTO_TEST_CASE(texts_of_times_bytes_and_durations_are_checked) {
  BOOST_TEST(problems<sample::Everything>(
                 R"({"bytes":"Zg","timestamp":"","maybe_timestamp":"","duration":"10"})") ==
             "/bytes must be a base64 string (RFC 4648, padded)\n"
             "/timestamp must be a time as in RFC 3339, such as 2026-11-21T11:39:40Z\n"
             "/maybe_timestamp must be a time as in RFC 3339, such as 2026-11-21T11:39:40Z\n"
             "/duration must name its unit, such as 10s, 500ms, 2m or 1h");
}

BOOST_AUTO_TEST_CASE(null_is_for_optionals) {
  BOOST_TEST(problems<sample::Shield>(R"({"name":null})") == "/name must not be null");
  BOOST_TEST(problems<sample::Knight>(R"({"shield":null,"collection":null,"scores":[null]})") ==
             "/shield must not be null\n"
             "/collection must not be null\n"
             "/scores/0 must not be null");
  BOOST_TEST(problems<sample::Shield>("null") == " must not be null");
  sample::Knight knight{.spare = sample::Shield{}, .squires = {{"a"}}};
  BOOST_TEST(problems(R"({"shield":{"name":"a"},"spare":null,"squires":null})", knight) == "");
  BOOST_TEST(!knight.spare);
  BOOST_TEST(!knight.squires);
}

BOOST_AUTO_TEST_CASE(an_unknown_field_is_an_error_that_suggests_the_right_one) {
  BOOST_TEST(problems<sample::Shield>(R"({"nmae":"a","name":"a"})") ==
             "/nmae unknown field; did you mean \"name\"?");
  BOOST_TEST(problems<sample::Shield>(R"({"name":"a","defenseRating":1})") ==
             "/defenseRating unknown field; did you mean \"defense_rating\"?");
  BOOST_TEST(problems<sample::Shield>(R"({"name":"a","Name":"a"})") ==
             "/Name unknown field; did you mean \"name\"?");
  BOOST_TEST(problems<sample::Shield>(R"({"name":"a","colour":{"a":[1,{"b":2}]},"":1})") ==
             "/colour unknown field\n/ unknown field");
}

BOOST_AUTO_TEST_CASE(what_is_below_an_unknown_field_is_skipped) {
  sample::Shield shield;
  BOOST_TEST(
      problems(R"({"x":{"name":"wrong","id":5,"y":[[{}],null,true,1.5,"s"]},"name":"right"})",
               shield) == "/x unknown field");
  BOOST_TEST(shield.name == "right");
  BOOST_TEST(!shield.id);
}

BOOST_AUTO_TEST_CASE(pointers_are_escaped_and_long_keys_shortened) {
  BOOST_TEST(problems<sample::Shield>(R"({"name":"a","a/b~c":1})") == "/a~1b~0c unknown field");
  const std::string key(100, 'k');
  BOOST_TEST(problems<sample::Shield>("{\"name\":\"a\",\"" + key + "\":1}") ==
             "/" + key.substr(0, 64) + "… unknown field");
  std::string dragons, shown;
  for (int i = 0; i < 100; ++i) (i < 64 ? shown : dragons) += "龍";
  BOOST_TEST(problems<sample::Shield>("{\"name\":\"a\",\"" + shown + dragons + "\":1}") ==
             "/" + shown + "… unknown field");
}

BOOST_AUTO_TEST_CASE(a_duplicate_is_an_error) {
  BOOST_TEST(problems<sample::Shield>(R"({"name":"a","id":1,"name":"b"})") ==
             "/name is given more than once");
  BOOST_TEST(problems<sample::Shield>(R"({"name":"a","id":1,"id":{"x":[]},"\u0069d":2})") ==
             "/id is given more than once\n/id is given more than once");
}

BOOST_AUTO_TEST_CASE(keys_and_strings_may_have_escapes) {
  const auto shield =
      read<sample::Shield>(R"({"n\u0061me":"a\"\\\/\b\f\n\r\t\u00fc\ud83d\udee1z"})");
  BOOST_TEST(shield.name == "a\"\\/\b\f\n\r\tü🛡z");
  std::string longer(10'000, 'x');
  longer += "\n";
  longer += std::string(10'000, 'y');
  goes_round(longer);
}

BOOST_AUTO_TEST_CASE(what_is_required_is_asked_for) {
  BOOST_TEST(problems<sample::Shield>("{}") == "/name is required");
  BOOST_TEST(problems<sample::Bounds>("{}") == "/agreed is required");
  BOOST_TEST(problems<sample::Knight>("{}") == "/shield is required");
  BOOST_TEST(
      problems<sample::Knight>(R"({"shield":{},"collection":[{"name":"a"},{}],"spare":{}})") ==
      "/shield/name is required\n"
      "/collection/1/name is required\n"
      "/spare/name is required");
}

BOOST_AUTO_TEST_CASE(rules_are_checked_and_each_fault_is_named_once) {
  BOOST_TEST(
      problems<sample::Shield>(R"({"name":"","defense_rating":101,"material":"gold","id":"x"})") ==
      "/name must be at least 1 character long\n"
      "/defense_rating must be at most 100\n"
      "/material must be one of: iron, steel\n"
      "/id must be an integer");
  // A value of another kind is not also said to break the rules, nor to be missing.
  BOOST_TEST(problems<sample::Shield>(R"({"name":5})") == "/name must be a string");
  BOOST_TEST(problems<sample::Bounds>(R"({"agreed":true,"timeout":"1ms","key":""})") ==
             "/timeout must be at least 500ms\n/key must be at least 1 byte long");
}

BOOST_AUTO_TEST_CASE(text_with_a_null_character_is_refused) {
  BOOST_TEST(problems<sample::Shield>(R"({"name":"a\u0000b"})") ==
             "/name must not contain the character U+0000");
}

BOOST_AUTO_TEST_CASE(no_more_than_100_complaints) {
  std::string json = R"({"name":"a")";
  for (int i = 0; i < 1000; ++i) json += ",\"k" + std::to_string(i) + "\":[]";
  sample::Shield shield;
  const auto found = from_json(json + "}", shield);
  BOOST_TEST(found.syntax == "");
  BOOST_TEST(found.fields.size() == 100U);
}

BOOST_AUTO_TEST_CASE(an_array_replaces_what_was_there) {
  sample::Knight knight{.scores = {1, 2, 3}};
  BOOST_TEST(problems(R"({"shield":{"name":"a"},"scores":[4]})", knight) == "");
  BOOST_TEST((knight.scores == std::vector<std::int64_t>{4}));
}

BOOST_AUTO_TEST_CASE(a_partial_reading_leaves_absent_members_alone) {
  sample::Knight knight{
      .name = "Kay", .shield = {.name = "old", .defense_rating = 50}, .scores = {1, 2}};
  const JsonReading patch{.partial = true};
  BOOST_TEST(problems(R"({"shield":{"material":"steel"}})", knight, patch) == "");
  BOOST_TEST(knight.name == "Kay");
  BOOST_TEST(knight.shield.name == "old");
  BOOST_TEST(knight.shield.material == "steel");
  BOOST_TEST(knight.scores.size() == 2U);
  // What is new must be whole; what is there is changed.
  BOOST_TEST(problems(R"({"spare":{"defense_rating":1}})", knight, patch) ==
             "/spare/name is required");
  knight.spare = sample::Shield{.name = "spare"};
  BOOST_TEST(problems(R"({"spare":{"defense_rating":1}})", knight, patch) == "");
  BOOST_TEST(knight.spare->name == "spare");
  BOOST_TEST(knight.spare->defense_rating == 1);
  BOOST_TEST(problems(R"({"collection":[{}]})", knight, patch) == "/collection/0/name is required");
  BOOST_TEST(problems(R"({"shield":{"name":""}})", knight, patch) ==
             "/shield/name must be at least 1 character long");
}

BOOST_AUTO_TEST_CASE(members_can_be_kept_out) {
  const JsonReading without_id{.accepts = [](const Field& field) { return field.name != "id"; }};
  sample::Shield shield;
  BOOST_TEST(problems(R"({"name":"a","id":1})", shield, without_id) == "/id unknown field");
  BOOST_TEST(problems(R"({"name":"a","idd":1})", shield, without_id) == "/idd unknown field");
  BOOST_TEST(!shield.id);
  const JsonReading without_name{.accepts = [](const Field& f) { return f.name != "name"; }};
  BOOST_TEST(problems("{}", shield, without_name) == "");
}

BOOST_AUTO_TEST_CASE(the_present_members_are_told) {
  std::vector<bool> present{true, true};
  sample::Shield shield;
  BOOST_TEST(problems(R"({"material":"steel","id":null})", shield,
                      {.present = &present, .partial = true}) == "");
  BOOST_TEST((present == std::vector{true, false, false, true, false}));
}

BOOST_AUTO_TEST_CASE(what_was_found_can_be_thrown) {
  sample::Shield shield;
  from_json(R"({"name":"a"})", shield).raise();
  BOOST_CHECK_EXCEPTION(from_json("{", shield).raise(), Error, [](const Error& error) {
    return error.code() == Errc::malformed &&
           std::string_view{error.what()} ==
               "not valid JSON: line 1, column 2: the text ends too early";
  });
  BOOST_CHECK_EXCEPTION(
      from_json("{}", shield).raise(), ValidationError,
      [](const ValidationError& error) { return error.fields().at(0).pointer == "/name"; });
}

BOOST_AUTO_TEST_SUITE_END()
