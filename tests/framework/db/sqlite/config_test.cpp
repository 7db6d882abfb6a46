// URLs and settings.
#include "db/sqlite/config.h"

#include "fixture.h"

using namespace aegis;
using namespace aegis::db::sqlite;
using namespace aegis::db::sqlite::test;
namespace fs = std::filesystem;

namespace {

Config with_url(std::string url) {
  return read_config({.url = std::move(url)});
}
Config with(Settings settings) {
  return read_config({.url = "sqlite://", .connect_args = std::move(settings)});
}
std::string complaint(std::string url) {
  const auto [code, text] = error_of([&] { with_url(url); });
  BOOST_TEST((code == Errc::invalid));
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(three_slashes_are_relative_four_absolute) {
  BOOST_TEST(with_url("sqlite:///data/app.db").file == fs::current_path() / "data/app.db");
  BOOST_TEST(with_url("sqlite:///./x/../app.db").file == fs::current_path() / "app.db");
  BOOST_TEST(with_url("sqlite:////var/lib/app.db").file == "/var/lib/app.db");
  BOOST_TEST(with_url("sqlite:///data/app.db").make_folder);
  BOOST_TEST(!with_url("sqlite:////var/lib/app.db").make_folder);
}

BOOST_AUTO_TEST_CASE(percent_signs_are_decoded) {
  BOOST_TEST(with_url("sqlite:////a%20b%3F%23%25.db").file == "/a b?#%.db");
  BOOST_TEST(contains(complaint("sqlite:///a%2"), "two hexadecimal digits"));
  BOOST_TEST(contains(complaint("sqlite:///a%zz.db"), "two hexadecimal digits"));
  BOOST_TEST(contains(complaint("sqlite:///a%00.db"), "zero byte"));
}

BOOST_AUTO_TEST_CASE(in_memory) {
  for (const char* url : {"sqlite://", "sqlite://:memory:", "sqlite:///:memory:"}) {
    BOOST_TEST(with_url(url).in_memory());
    BOOST_TEST(with_url(url).single_connection());
  }
}

BOOST_AUTO_TEST_CASE(a_bad_url_says_how_a_good_one_looks) {
  BOOST_TEST(contains(complaint("sqlite://data/app.db"), "sqlite:///data/app.db"));
  BOOST_TEST(contains(complaint("sqlite:///"), "names no file"));
  BOOST_TEST(contains(complaint("sqlite:///data/"), "names no file"));
  BOOST_TEST(contains(complaint("sqlite:///app.db?mode=ro"), "connect args"));
  BOOST_TEST(contains(complaint("mysql://x"), "sqlite://"));
}

BOOST_AUTO_TEST_CASE(settings_are_read) {
  const Config config = with({{"synchronous", "full"},
                              {"foreign_keys", "off"},
                              {"busy_timeout", "250"},
                              {"cache_size", "-8000"},
                              {"write_turn_timeout", "100"},
                              {"readers", "4"}});
  BOOST_TEST(config.synchronous == "FULL");
  BOOST_TEST(!config.foreign_keys);
  BOOST_TEST(config.busy_timeout.count() == 250);
  BOOST_TEST(config.cache_size == -8000);
  BOOST_TEST(config.write_turn_timeout.count() == 100);
  BOOST_TEST(config.readers == 4);
}

BOOST_AUTO_TEST_CASE(a_bad_setting_is_named_with_what_it_may_be) {
  const auto told = [](Settings settings) {
    return error_of([&] { with(std::move(settings)); }).second;
  };
  BOOST_TEST(contains(told({{"synchronus", "FULL"}}), "no SQLite setting synchronus; there are"));
  BOOST_TEST(contains(told({{"synchronous", "2; DROP TABLE t"}}), "OFF, NORMAL, FULL, EXTRA"));
  BOOST_TEST(contains(told({{"busy_timeout", "5s"}}), "a whole number from 0"));
  BOOST_TEST(contains(told({{"readers", "0"}}), "from 1 to 64"));
  BOOST_TEST(contains(told({{"foreign_keys", "maybe"}}), "on or off"));
}
