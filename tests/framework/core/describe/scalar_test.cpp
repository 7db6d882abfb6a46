#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "samples.h"

using namespace aegis;
using detail::type_of;

namespace {

/// What `cell` does to an object that holds `before`.
template <class T>
std::pair<CellStatus, T> assigned(const Cell& cell, T before = {}) {
  const auto status = type_of<T>().from_cell(cell, &before);
  return {status, before};
}

template <class T>
void goes_round(const T& value) {
  const auto [status, back] = assigned<T>(type_of<T>().to_cell(&value));
  BOOST_TEST((status == CellStatus::ok));
  BOOST_TEST((back == value));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scalars)

BOOST_AUTO_TEST_CASE(every_value_goes_through_a_cell_and_back) {
  goes_round(true);
  goes_round(std::numeric_limits<std::int16_t>::min());
  goes_round(std::numeric_limits<std::int32_t>::max());
  goes_round(std::numeric_limits<long>::min());
  goes_round(std::numeric_limits<long long>::max());
  goes_round(std::numeric_limits<std::uint16_t>::max());
  goes_round(std::numeric_limits<std::uint32_t>::max());
  goes_round(0.1);
  goes_round(std::string("Dragon Scale"));
  goes_round(Bytes{std::byte{0}, std::byte{255}});
  goes_round(Timestamp{std::chrono::microseconds{-5}});
  goes_round(std::chrono::milliseconds{1500});
  goes_round(std::optional<std::string>{});
  goes_round(std::optional<std::string>{""});
  goes_round(std::optional<std::int64_t>{7});
  goes_round(std::optional<Timestamp>{Timestamp{}});
}

BOOST_AUTO_TEST_CASE(null_fits_an_optional_only) {
  BOOST_TEST((assigned<int>(Cell{}, 7) == std::pair{CellStatus::null, 7}));
  BOOST_TEST(
      (assigned<std::optional<int>>(Cell{}, 7) == std::pair{CellStatus::ok, std::optional<int>{}}));
}

BOOST_AUTO_TEST_CASE(what_a_database_has_in_place_of_a_type_is_taken) {
  BOOST_TEST((assigned<bool>(std::int64_t{1}) == std::pair{CellStatus::ok, true}));
  BOOST_TEST((assigned<bool>(std::int64_t{0}, true) == std::pair{CellStatus::ok, false}));
  BOOST_TEST((assigned<double>(std::int64_t{3}) == std::pair{CellStatus::ok, 3.0}));
  BOOST_TEST((assigned<Timestamp>(std::string_view{"1970-01-01T00:00:01Z"}) ==
              std::pair{CellStatus::ok, Timestamp{std::chrono::seconds{1}}}));
  BOOST_TEST((assigned<std::chrono::milliseconds>(std::int64_t{5}) ==
              std::pair{CellStatus::ok, std::chrono::milliseconds{5}}));
}

BOOST_AUTO_TEST_CASE(an_integer_that_does_not_fit_changes_nothing) {
  const auto out = CellStatus::out_of_range;
  BOOST_TEST((assigned<std::int16_t>(std::int64_t{32768}, 1) == std::pair{out, std::int16_t{1}}));
  BOOST_TEST((assigned<std::int32_t>(std::int64_t{-2147483649}, 1) == std::pair{out, 1}));
  BOOST_TEST((assigned<std::uint16_t>(std::int64_t{-1}, 1) == std::pair{out, std::uint16_t{1}}));
  BOOST_TEST((assigned<std::uint32_t>(std::int64_t{1} << 32, 1) == std::pair{out, 1U}));
  BOOST_TEST((assigned<bool>(std::int64_t{2}, true) == std::pair{out, true}));
  BOOST_TEST(
      (assigned<std::optional<int>>(std::int64_t{1} << 40, 1) == std::pair{out, std::optional{1}}));
}

BOOST_AUTO_TEST_CASE(another_kind_changes_nothing) {
  const auto wrong = CellStatus::wrong_kind;
  BOOST_TEST((assigned<int>(1.0, 7) == std::pair{wrong, 7}));
  BOOST_TEST((assigned<int>(std::string_view{"1"}, 7) == std::pair{wrong, 7}));
  BOOST_TEST((assigned<int>(true, 7) == std::pair{wrong, 7}));
  BOOST_TEST((assigned<std::string>(std::int64_t{1}, "a") == std::pair{wrong, std::string{"a"}}));
  BOOST_TEST((assigned<double>(std::string_view{"1"}, 7) == std::pair{wrong, 7.0}));
  BOOST_TEST((assigned<bool>(std::string_view{"true"}, true) == std::pair{wrong, true}));
  BOOST_TEST((assigned<Timestamp>(std::string_view{"today"}) == std::pair{wrong, Timestamp{}}));
  BOOST_TEST((assigned<Timestamp>(std::int64_t{1}) == std::pair{wrong, Timestamp{}}));
  BOOST_TEST((assigned<Bytes>(std::string_view{"a"}) == std::pair{wrong, Bytes{}}));
  BOOST_TEST((assigned<std::optional<int>>(true, 7) == std::pair{wrong, std::optional{7}}));
}

BOOST_AUTO_TEST_CASE(a_value_owns_what_a_cell_borrows) {
  for (const Value& value :
       {Value{}, Value{true}, Value{std::int64_t{-1}}, Value{0.5}, Value{std::string("text")},
        Value{Bytes{std::byte{1}}}, Value{Timestamp{std::chrono::microseconds{1}}}}) {
    BOOST_TEST((to_value(as_cell(value)) == value));
  }
  BOOST_TEST((std::get<std::string_view>(as_cell(Value{std::string("text")})) == "text"));
}

BOOST_AUTO_TEST_CASE(a_description_names_its_struct_and_fields) {
  const Object& shield = describe<sample::Shield>();
  BOOST_TEST(shield.name == "Shield");
  BOOST_TEST(shield.fields.size() == 5U);
  BOOST_TEST(shield.find("material")->rules.one_of()[1] == "steel");
  BOOST_TEST(shield.find("colour") == nullptr);
  BOOST_TEST(static_cast<const sample::Shield*>(shield.defaults())->defense_rating == 10);
  BOOST_TEST(describe<sample::Nothing>().fields.empty());
}

BOOST_AUTO_TEST_SUITE_END()
