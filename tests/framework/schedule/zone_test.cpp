// When something is due in a time zone, above all where its clocks are changed.
#include "aegis/schedule/zone.h"

#include <boost/algorithm/string.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "aegis/core/error.h"
#include "aegis/core/time.h"

using namespace aegis;
using namespace std::chrono;

namespace {

UtcSeconds utc(std::string_view text) {
  return floor<seconds>(*parse_timestamp(text));
}

std::string next(const Cron& cron, std::string_view zone, std::string_view after) {
  const auto slot = next_slot(cron, Zone(zone), utc(after));
  return slot ? to_string(Timestamp{*slot}).substr(0, 19) + 'Z' : "never";
}

/// What a command prints; empty when it fails.
std::string output_of(const char* command) {
  FILE* const pipe = ::popen(command, "r");
  std::string text;
  std::array<char, 4096> part;
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe)) {
    text.append(part.data(), size);
  }
  return ::pclose(pipe) == 0 ? text : "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_fixed_time_is_due_by_the_clock_of_its_zone) {
  BOOST_TEST(next("0 3 * * *", "UTC", "2026-01-01T02:59:59Z") == "2026-01-01T03:00:00Z");
  BOOST_TEST(next("0 3 * * *", "UTC", "2026-01-01T03:00:00Z") == "2026-01-02T03:00:00Z");
  BOOST_TEST(next("0 3 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z") == "2026-01-01T02:00:00Z");
  BOOST_TEST(next("0 3 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z") == "2026-07-01T01:00:00Z");
  BOOST_TEST(next("30 5 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z") == "2026-01-02T00:00:00Z");
}

// Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
BOOST_AUTO_TEST_CASE(what_the_clock_leaves_out_is_due_right_after) {
  BOOST_TEST(next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z") == "2026-03-29T01:00:00Z");
  BOOST_TEST(next("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z") == "2026-03-30T00:30:00Z");
  // Several that are left out, and the one that is due then anyway, are one.
  BOOST_TEST(next("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z") ==
             "2026-03-29T01:30:00Z");
  BOOST_TEST(next("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z") ==
             "2026-03-30T00:00:00Z");
}

// Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
BOOST_AUTO_TEST_CASE(what_comes_twice_is_due_once_unless_it_is_a_wildcard) {
  BOOST_TEST(next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z") == "2026-10-25T00:30:00Z");
  BOOST_TEST(next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z") == "2026-10-26T01:30:00Z");
  BOOST_TEST(next("30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z") == "2026-10-25T01:30:00Z");
}

BOOST_AUTO_TEST_CASE(every_change_of_clocks_for_twenty_years_in_ten_zones) {
  std::istringstream reference(output_of("python3 " AEGIS_DST_REFERENCE));
  int compared = 0;
  for (std::string line; std::getline(reference, line);) {
    std::vector<std::string> parts;
    boost::split(parts, line, [](char c) { return c == '|'; });
    BOOST_TEST_REQUIRE(parts.size() == 5U);
    const Cron cron = Cron::parse(parts[1]);
    const Zone zone(parts[0]);
    UtcSeconds at{seconds{std::stoll(parts[2])}};
    const UtcSeconds end{seconds{std::stoll(parts[3])}};
    std::string slots;
    while (const auto slot = next_slot(cron, zone, at)) {
      if (*slot > end) break;
      slots += (slots.empty() ? "" : ",") + std::to_string(slot->time_since_epoch().count());
      at = *slot;
    }
    BOOST_TEST(slots == parts[4], line);
    ++compared;
  }
  BOOST_TEST_MESSAGE(compared << " changes and expressions");
  BOOST_TEST(compared > 2000);
}

BOOST_AUTO_TEST_CASE(an_unknown_zone_is_named) {
  BOOST_CHECK_EXCEPTION(Zone("Europe/Atlantis"), Error, [](const Error& error) {
    return std::string_view(error.what()).find("\"Europe/Atlantis\" is no time zone") == 0;
  });
}
