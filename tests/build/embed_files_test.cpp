// Embedded files arrive byte for byte, and compressed where that is shorter.
#include <boost/test/unit_test.hpp>
#include <string>

#include "embedded/samples.h"

BOOST_AUTO_TEST_CASE(a_file_is_there_with_its_content) {
  const auto files = aegis::embedded::samples();
  BOOST_REQUIRE(files.size() == 2);
  const auto& prose = files[0];
  BOOST_TEST(prose.name == "prose.txt");
  std::string expected;
  for (int line = 0; line < 100; ++line)
    expected += "All work and no play makes Jack a dull boy.\n";
  BOOST_TEST(prose.content == expected);
  BOOST_TEST(prose.digest.size() == 64);
}

BOOST_AUTO_TEST_CASE(what_compresses_is_there_as_gzip_too) {
  const auto gzip = aegis::embedded::samples()[0].gzip;
  BOOST_TEST(gzip.size() < 200);
  BOOST_TEST(gzip.starts_with("\x1f\x8b"));  // the magic number of RFC 1952
}

BOOST_AUTO_TEST_CASE(what_does_not_compress_is_not) {
  const auto& empty = aegis::embedded::samples()[1];
  BOOST_TEST(empty.content.empty());
  BOOST_TEST(empty.gzip.empty());
}
