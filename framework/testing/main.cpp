// main() of every test executable; a source that defines BOOST_TEST_MODULE itself brings its own.
#define BOOST_TEST_MODULE aegis
#include <boost/test/unit_test.hpp>
