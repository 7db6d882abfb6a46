// Any bytes as a path segment, query parameter or setting: what was read is the same after it is
// written and read again.
#include <cstdlib>

#include "aegis/core/json.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

template <class T>
void try_as(std::string_view text) {
  const auto& type = aegis::detail::type_of<T>();
  T value{}, again{};
  if (!aegis::read_text(text, type, &value).empty()) return;
  check(aegis::read_text(aegis::write_text(type, &value), type, &again).empty());
  check(again == value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  try_as<bool>(text);
  try_as<std::int16_t>(text);
  try_as<std::int64_t>(text);
  try_as<std::uint32_t>(text);
  try_as<double>(text);
  try_as<std::string>(text);
  try_as<aegis::Bytes>(text);
  try_as<aegis::Timestamp>(text);
  try_as<std::chrono::milliseconds>(text);
  try_as<std::optional<std::string>>(text);
  return 0;
}
