#include "aegis/core/time.h"

#include <boost/test/unit_test.hpp>

using namespace std::chrono;
using aegis::parse_timestamp;
using aegis::Timestamp;

namespace {

std::string reread(std::string_view text) {
  const auto moment = parse_timestamp(text);
  return moment ? aegis::to_string(*moment) : "none";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(time_text)

BOOST_AUTO_TEST_CASE(a_moment_is_written_in_fixed_width) {
  BOOST_TEST(aegis::to_string(Timestamp{}) == "1970-01-01T00:00:00.000000Z");
  BOOST_TEST(aegis::to_string(Timestamp{microseconds{1'795'261'180'123'456}}) ==
             "2026-11-21T11:39:40.123456Z");
}

BOOST_AUTO_TEST_CASE(moments_before_1970_are_written_and_read_right) {
  BOOST_TEST(aegis::to_string(Timestamp{microseconds{-1}}) == "1969-12-31T23:59:59.999999Z");
  BOOST_TEST((parse_timestamp("1969-12-31T23:59:59.999999Z") == Timestamp{microseconds{-1}}));
  BOOST_TEST((parse_timestamp("1969-12-31T23:59:59.5Z") == Timestamp{microseconds{-500'000}}));
}

BOOST_AUTO_TEST_CASE(the_first_and_the_last_moment_are_read_back) {
  for (const auto text : {"0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"}) {
    BOOST_TEST(reread(text) == text);
  }
}

BOOST_AUTO_TEST_CASE(moments_outside_the_years_1_to_9999_become_the_nearest_inside) {
  BOOST_TEST(aegis::to_string(Timestamp::min()) == "0001-01-01T00:00:00.000000Z");
  BOOST_TEST(aegis::to_string(Timestamp::max()) == "9999-12-31T23:59:59.999999Z");
}

BOOST_AUTO_TEST_CASE(every_form_of_rfc_3339_is_read) {
  const std::pair<std::string_view, std::string_view> forms[] = {
      {"1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000Z"},
      {"1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000000Z"},
      {"1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870000Z"},
      {"2026-11-21t11:39:40z", "2026-11-21T11:39:40.000000Z"},
      {"2026-11-21 11:39:40+00:00", "2026-11-21T11:39:40.000000Z"},
      {"2026-11-21T11:39:40-00:00", "2026-11-21T11:39:40.000000Z"},
      {"2026-11-21T11:39:40.123456789Z", "2026-11-21T11:39:40.123456Z"},
      {"2026-11-21T11:39:40.1234567Z", "2026-11-21T11:39:40.123456Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
      {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000000Z"},
      {"9999-12-31T23:59:59+23:59", "9999-12-31T00:00:59.000000Z"},
  };
  for (const auto& [text, expected] : forms) {
    BOOST_TEST_CONTEXT(text) BOOST_TEST(reread(text) == expected);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_moment_is_refused) {
  for (const auto text : {
           "",
           "2026",
           "2026-11-21",
           "2026-11-21T11:39:40",
           "2026-11-21T11:39Z",
           "2026-11-21T11:39:40.Z",
           "2026-11-21T11:39:40.1234567890Z",
           "2026-11-21T11:39:40,5Z",
           "2026-11-21T11:39:40Z ",
           " 2026-11-21T11:39:40Z",
           "2026-11-21T11:39:40ZZ",
           "2026-11-21T11:39:40+0100",
           "2026-11-21T11:39:40+01",
           "2026-11-21T11:39:40+24:00",
           "2026-11-21T11:39:40+01:60",
           "2026-11-21X11:39:40Z",
           "2026-13-01T00:00:00Z",
           "2026-00-01T00:00:00Z",
           "2026-02-29T00:00:00Z",
           "1900-02-29T00:00:00Z",
           "2026-11-31T00:00:00Z",
           "2026-11-00T00:00:00Z",
           "2026-11-21T24:00:00Z",
           "2026-11-21T11:60:00Z",
           "2016-12-31T23:59:60Z",  // was a leap second
           "0000-12-31T00:00:00Z",
           "0001-01-01T00:00:00+00:01",  // in the year 0
           "9999-12-31T23:59:59-00:01",  // in the year 10000
           "10000-01-01T00:00:00Z",
           "-001-01-01T00:00:00Z",
           "+2026-11-21T11:39:40Z",
           "2026-11-2\xC3\xA9T11:39:40Z",
       }) {
    BOOST_TEST_CONTEXT(text) BOOST_TEST(reread(text) == "none");
  }
}

BOOST_AUTO_TEST_CASE(text_order_is_time_order) {
  const auto step = hours{24 * 365} + microseconds{123'457};
  for (auto moment = *parse_timestamp("0001-01-01T00:00:00Z");
       moment < *parse_timestamp("9998-01-01T00:00:00Z"); moment += step) {
    const auto text = aegis::to_string(moment);
    BOOST_REQUIRE((parse_timestamp(text) == moment));
    BOOST_REQUIRE(text < aegis::to_string(moment + microseconds{1}));
  }
}

BOOST_AUTO_TEST_SUITE_END()
