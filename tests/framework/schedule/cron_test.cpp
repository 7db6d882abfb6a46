// Cron expressions: what they mean, and what is said of mistakes.
#include "aegis/schedule/cron.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "aegis/core/error.h"
#include "aegis/core/time.h"

using namespace aegis;
using namespace std::chrono;

namespace {

LocalSeconds local(std::string_view text) {
  return LocalSeconds{floor<seconds>(*parse_timestamp(std::string(text) + 'Z')).time_since_epoch()};
}

std::string text(LocalSeconds moment) {
  return to_string(Timestamp{moment.time_since_epoch()}).substr(0, 19);
}

/// The first three moments from the beginning of 2026, a Thursday, on.
std::string next_three(const Cron& cron) {
  std::string found;
  LocalSeconds from = local("2026-01-01T00:00:00");
  for (int i = 0; i < 3; ++i) {
    const auto next = cron.next(from);
    if (!next) return found + "never";
    found += text(*next) + (i < 2 ? " " : "");
    from = *next + 1s;
  }
  return found;
}

std::string refusal(std::string_view expression) {
  try {
    Cron::parse(expression);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == Errc::invalid));
    return error.what();
  }
  return "accepted";
}

struct Meaning {
  std::string expression, moments;
  friend std::ostream& operator<<(std::ostream& out, const Meaning& m) {
    return out << m.expression;
  }
};

const std::vector<Meaning> meanings = {
    {"0 3 * * *", "2026-01-01T03:00:00 2026-01-02T03:00:00 2026-01-03T03:00:00"},
    {"*/20 * * * *", "2026-01-01T00:00:00 2026-01-01T00:20:00 2026-01-01T00:40:00"},
    {"5/25 12 * * *", "2026-01-01T12:05:00 2026-01-01T12:30:00 2026-01-01T12:55:00"},
    {"30 15 10 * * *", "2026-01-01T10:15:30 2026-01-02T10:15:30 2026-01-03T10:15:30"},
    {"*/30 59 23 31 12 *", "2026-12-31T23:59:00 2026-12-31T23:59:30 2027-12-31T23:59:00"},
    {"0 9-17/4 * * MON-FRI", "2026-01-01T09:00:00 2026-01-01T13:00:00 2026-01-01T17:00:00"},
    {"0 0 * feb,Apr *", "2026-02-01T00:00:00 2026-02-02T00:00:00 2026-02-03T00:00:00"},
    {"0 0 29 2 *", "2028-02-29T00:00:00 2032-02-29T00:00:00 2036-02-29T00:00:00"},
    {"0 0 29 2 */7", "2032-02-29T00:00:00 2060-02-29T00:00:00 2088-02-29T00:00:00"},
    {"0 0 13 * FRI", "2026-01-02T00:00:00 2026-01-09T00:00:00 2026-01-13T00:00:00"},
    {"0 0 */10 * SUN", "2026-01-11T00:00:00 2026-02-01T00:00:00 2026-03-01T00:00:00"},
    {"0 0 * * 7", "2026-01-04T00:00:00 2026-01-11T00:00:00 2026-01-18T00:00:00"},
    {"0 0 * * FRI-SUN", "2026-01-02T00:00:00 2026-01-03T00:00:00 2026-01-04T00:00:00"},
    {"0 0 L * *", "2026-01-31T00:00:00 2026-02-28T00:00:00 2026-03-31T00:00:00"},
    {"0 0 L-2 * *", "2026-01-29T00:00:00 2026-02-26T00:00:00 2026-03-29T00:00:00"},
    {"0 0 15W * *", "2026-01-15T00:00:00 2026-02-16T00:00:00 2026-03-16T00:00:00"},
    {"0 0 1W 8 *", "2026-08-03T00:00:00 2027-08-02T00:00:00 2028-08-01T00:00:00"},
    {"0 0 LW * *", "2026-01-30T00:00:00 2026-02-27T00:00:00 2026-03-31T00:00:00"},
    {"0 0 ? * 5L", "2026-01-30T00:00:00 2026-02-27T00:00:00 2026-03-27T00:00:00"},
    {"0 0 * * FRI#2", "2026-01-09T00:00:00 2026-02-13T00:00:00 2026-03-13T00:00:00"},
    {"0 0 * * MON#5", "2026-03-30T00:00:00 2026-06-29T00:00:00 2026-08-31T00:00:00"},
    {"@daily", "2026-01-01T00:00:00 2026-01-02T00:00:00 2026-01-03T00:00:00"},
    {"@weekly", "2026-01-04T00:00:00 2026-01-11T00:00:00 2026-01-18T00:00:00"},
    {"@monthly", "2026-01-01T00:00:00 2026-02-01T00:00:00 2026-03-01T00:00:00"},
    {"@yearly", "2026-01-01T00:00:00 2027-01-01T00:00:00 2028-01-01T00:00:00"},
    {" 0\t3 *  * * ", "2026-01-01T03:00:00 2026-01-02T03:00:00 2026-01-03T03:00:00"},
};

}  // namespace

BOOST_DATA_TEST_CASE(an_expression_means, boost::unit_test::data::make(meanings), meaning) {
  BOOST_TEST(next_three(Cron::parse(meaning.expression)) == meaning.moments);
}

BOOST_AUTO_TEST_CASE(a_literal_is_read_by_the_compiler) {
  constexpr Cron cron = "0 3 * * MON-FRI";
  BOOST_TEST((cron == Cron::parse("0 3 * * 1-5")));
  BOOST_TEST(!cron.is_wildcard());
  BOOST_TEST(Cron("*/5 3 * * *").is_wildcard());
}

BOOST_AUTO_TEST_CASE(the_last_second_of_a_day_is_followed_by_the_next_day) {
  const Cron cron = "0 0 * * *";
  BOOST_TEST(text(*cron.next(local("2026-12-31T23:59:59"))) == "2027-01-01T00:00:00");
  BOOST_TEST(text(*Cron("59 59 23 * * *").next(local("2026-12-31T23:59:59"))) ==
             "2026-12-31T23:59:59");
}

BOOST_AUTO_TEST_CASE(a_mistake_is_named_with_its_field_and_what_is_allowed) {
  BOOST_TEST(refusal("0 25 * * *") ==
             "\"0 25 * * *\" is no cron expression: the hour \"25\" (at character 3) is out of "
             "range; allowed: 0-23");
  BOOST_TEST(refusal("0 3 * * MOO")
                 .find("the day of the week \"MOO\" (at character 9) cannot be "
                       "read; allowed: 0-7") != std::string::npos);
  BOOST_TEST(refusal("0 3 * * 5,FRI-TUE")
                 .find("\"FRI-TUE\" (at character 11) is a range that goes "
                       "backwards") != std::string::npos);
  BOOST_TEST(refusal("*/0 * * * *").find("step") != std::string::npos);
  BOOST_TEST(refusal("0 3 30 2 *")
                 .find("the day of the month \"30\" (at character 5) does not "
                       "exist in these months") != std::string::npos);
  BOOST_TEST(refusal("0 3 31 4,6 *").find("does not exist") != std::string::npos);
  for (const char* const text : {"", "* * * *", "* * * * * * *", "@never", "0 3 * *"}) {
    BOOST_TEST(refusal(text) != "accepted", text);
  }
  for (const char* const text :
       {"60 * * * *", "0 24 * * *",  "0 0 0 * *",           "0 0 32 * *",      "0 0 * 13 *",
        "0 0 * * 8",  "-1 * * * *",  "1,,2 * * * *",        "1- * * * *",      "*5 * * * *",
        "0 0 W * *",  "0 0 32W * *", "0 0 L-31 * *",        "0 0 * * 5#6",     "0 0 * * #2",
        "0 0 * * L",  "? * * * *",   "99999999999 * * * *", "0 0 * JANUARY *", "1/ * * * *",
        "@daily 5",   "0 0 1W2 * *"}) {
    BOOST_TEST(refusal(text) != "accepted", text);
  }
}
