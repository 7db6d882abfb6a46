// Versions that are compared.
#include "cli/version.h"

#include <boost/test/unit_test.hpp>

using namespace aegis::cli;

BOOST_AUTO_TEST_CASE(versions_are_compared_by_their_numbers) {
  BOOST_TEST((version_of("3.25.1") == Version{3, 25, 1}));
  BOOST_TEST((version_of("3.25") == Version{3, 25, 0}));
  BOOST_TEST((version_of("3.25.1-rc2") == Version{3, 25, 1}));
  BOOST_TEST((version_of("") == Version{}));
  BOOST_TEST((version_of("0.10.0") > version_of("0.9.9")));
  BOOST_TEST((version_of("99999999999999999999.0.0") > version_of("3.25.1")));
}
