// Any bytes as a JSON body: the same verdict as Boost.JSON's own reader, and what was read is the
// same after it is written and read again.
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "../framework/core/describe/samples.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

bool boost_accepts(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = 32;
  boost::system::error_code error;
  boost::json::parse({text.data(), text.size()}, error, {}, options);
  return !error;
}

template <class T>
void try_as(std::string_view text, bool is_json) {
  T object{};
  const auto found = aegis::from_json(text, object);
  check(found.syntax.empty() == is_json);
  check(found.fields.size() <= 100);
  if (!found.none()) return;
  const auto json = aegis::to_json(object);
  T again{};
  check(aegis::from_json(json, again).none());
  check(aegis::to_json(again) == json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const bool is_json = boost_accepts(text);
  try_as<sample::Everything>(text, is_json);
  try_as<sample::Knight>(text, is_json);
  try_as<sample::Bounds>(text, is_json);
  try_as<sample::Tree>(text, is_json);

  std::string json;
  aegis::append_json(text, json);
  check(boost_accepts(json));
  return 0;
}
