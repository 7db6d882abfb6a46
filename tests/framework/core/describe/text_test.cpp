#include <boost/test/unit_test.hpp>
#include <limits>

#include "samples.h"

using namespace aegis;
using namespace std::chrono_literals;
using detail::type_of;

namespace {

/// What read_text says of `text`, or the value it read, written again after "= ".
template <class T>
std::string reread(std::string_view text) {
  T value{};
  const auto problem = read_text(text, type_of<T>(), &value);
  return problem.empty() ? "= " + write_text(type_of<T>(), &value) : problem;
}

template <class T>
std::string written(const T& value) {
  return write_text(type_of<T>(), &value);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(integers) {
  BOOST_TEST(reread<int>("0") == "= 0");
  BOOST_TEST(reread<int>("-2147483648") == "= -2147483648");
  BOOST_TEST(reread<std::int64_t>("9223372036854775807") == "= 9223372036854775807");
  BOOST_TEST(reread<int>("2147483648") == "must be between -2147483648 and 2147483647");
  BOOST_TEST(reread<std::uint16_t>("-1") == "must be between 0 and 65535");
  BOOST_TEST(reread<std::int64_t>("9223372036854775808") ==
             "must be between -9223372036854775808 and 9223372036854775807");
  for (const auto text : {"", " 1", "1 ", "+1", "1.0", "0x1", "1e3", "one", "-", "--1"}) {
    BOOST_TEST_CONTEXT(text) BOOST_TEST(reread<int>(text) == "must be an integer");
  }
}

BOOST_AUTO_TEST_CASE(numbers) {
  BOOST_TEST(reread<double>("1") == "= 1");
  BOOST_TEST(reread<double>("-0.1") == "= -0.1");
  BOOST_TEST(reread<double>("1e300") == "= 1e+300");
  BOOST_TEST(reread<double>("1e-400") == "= 0");
  BOOST_TEST(reread<double>("1e400").starts_with("must be between -1.79"));
  for (const auto text : {"", "nan", "inf", "-infinity", "1,5", "0x1p3", " 1", "1f"}) {
    BOOST_TEST_CONTEXT(text) BOOST_TEST(reread<double>(text) == "must be a number");
  }
}

BOOST_AUTO_TEST_CASE(booleans) {
  for (const auto text : {"true", "True", "1", "yes", "ON"}) {
    BOOST_TEST(reread<bool>(text) == "= true");
  }
  for (const auto text : {"false", "FALSE", "0", "no", "off"}) {
    BOOST_TEST(reread<bool>(text) == "= false");
  }
  for (const auto text : {"", "2", "y", "truee"}) {
    BOOST_TEST(reread<bool>(text) == "must be true or false");
  }
}

BOOST_AUTO_TEST_CASE(texts) {
  BOOST_TEST(reread<std::string>("") == "= ");
  BOOST_TEST(reread<std::string>("Drachenschuppe für 龍") == "= Drachenschuppe für 龍");
  BOOST_TEST(reread<std::string>(std::string_view{"a\0b", 3}) ==
             "must not contain the character U+0000");
  BOOST_TEST(reread<std::string>("\xC3(") == "must be valid UTF-8");
}

BOOST_AUTO_TEST_CASE(bytes_are_base64) {
  // RFC 4648, section 10.
  for (const auto text : {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy", "+/+/"}) {
    BOOST_TEST(reread<Bytes>(text) == std::string("= ") + text);
  }
  for (const auto text : {"Z", "Zg", "Zg=", "Zg===", "====", "=", "Zg=a",
                          "Zm8=Zm8=", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "-_-_", "Zm9\xC3"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(reread<Bytes>(text) == "must be a base64 string (RFC 4648, padded)");
    }
  }
}

BOOST_AUTO_TEST_CASE(times) {
  BOOST_TEST(reread<Timestamp>("2026-11-21T12:39:40+01:00") == "= 2026-11-21T11:39:40.000000Z");
  BOOST_TEST(reread<Timestamp>("yesterday").starts_with("must be a time"));
}

BOOST_AUTO_TEST_CASE(durations_name_their_unit) {
  using std::chrono::milliseconds;
  for (const auto text : {"0s", "500ms", "10s", "90s", "2m", "1h", "7d", "-5s"}) {
    BOOST_TEST(reread<milliseconds>(text) == std::string("= ") + text);
  }
  BOOST_TEST(reread<milliseconds>("60s") == "= 1m");
  BOOST_TEST(reread<milliseconds>("1500ms") == "= 1500ms");
  BOOST_TEST(reread<milliseconds>("10") == "must name its unit, such as 10s, 500ms, 2m or 1h");
  BOOST_TEST(reread<milliseconds>("9223372036854775807s") == "must be a shorter duration");
  BOOST_TEST(reread<milliseconds>("99999999999999999999ms") == "must be a shorter duration");
  for (const auto text : {"", "s", "10 s", "1.5s", "10S", "1h30m", "ten"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(reread<milliseconds>(text) == "must be a duration, such as 10s, 500ms, 2m or 1h");
    }
  }
  BOOST_TEST(written(milliseconds::min()) == "-9223372036854775808ms");
}

BOOST_AUTO_TEST_CASE(an_empty_text_is_null_for_an_optional) {
  std::optional<int> number = 7;
  BOOST_TEST(read_text("", type_of<std::optional<int>>(), &number) == "");
  BOOST_TEST(!number);
  BOOST_TEST(written(number) == "");
  std::optional<std::string> name = "a";
  BOOST_TEST(read_text("", type_of<std::optional<std::string>>(), &name) == "");
  BOOST_TEST(!name);
}

BOOST_AUTO_TEST_CASE(a_wrong_text_leaves_the_value) {
  int number = 7;
  BOOST_TEST(read_text("x", type_of<int>(), &number) != "");
  BOOST_TEST(number == 7);
}

BOOST_AUTO_TEST_CASE(a_struct_is_no_single_text) {
  sample::Shield shield;
  std::optional<sample::Shield> spare;
  BOOST_TEST(read_text("a", type_of<sample::Shield>(), &shield) != "");
  BOOST_TEST(read_text("", type_of<std::optional<sample::Shield>>(), &spare) != "");
  BOOST_TEST(written(shield) == "");
}

BOOST_AUTO_TEST_SUITE_END()
