#include "aegis/core/error.h"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(a_kind_has_a_short_name) {
  BOOST_TEST(aegis::to_string(aegis::Errc::not_found) == "not_found");
  BOOST_TEST(aegis::to_string(aegis::Errc::timeout) == "timeout");
}

BOOST_AUTO_TEST_CASE(the_message_of_a_validation_error_lists_the_fields) {
  const aegis::ValidationError error{{{"/name", "is required"}, {"", "must be an object"}}};
  BOOST_TEST((error.code() == aegis::Errc::invalid));
  BOOST_TEST(error.fields().size() == 2U);
  BOOST_TEST(error.what() == "invalid input: /name: is required; must be an object");
}

BOOST_AUTO_TEST_CASE(a_long_list_is_cut_in_the_message_only) {
  const aegis::ValidationError error{std::vector<aegis::FieldError>(13, {"/a", "is bad"})};
  BOOST_TEST(error.fields().size() == 13U);
  BOOST_TEST(std::string_view{error.what()}.ends_with("/a: is bad; and 3 more"));
}

BOOST_AUTO_TEST_SUITE_END()
