#include "db/setting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "aegis/core/error.h"

namespace aegis::db {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

}  // namespace

void Setting::read(bool& value) const {
  const std::string word = upper(text_);
  if (word == "ON" || word == "TRUE" || word == "1" || word == "YES") {
    value = true;
  } else if (word == "OFF" || word == "FALSE" || word == "0" || word == "NO") {
    value = false;
  } else {
    fail("on or off");
  }
}

void Setting::read(std::string& value, std::span<const std::string_view> words) const {
  value = upper(text_);
  if (std::ranges::find(words, value) == words.end()) {
    fail(fmt::format("{}", fmt::join(words, ", ")));
  }
}

void Setting::read(std::int64_t& value, std::int64_t min, std::int64_t max) const {
  const char* end = text_.data() + text_.size();
  const auto [stop, error] = std::from_chars(text_.data(), end, value);
  if (error != std::errc{} || stop != end || value < min || value > max) {
    fail(fmt::format("a whole number from {} to {}", min, max));
  }
}

void Setting::read(std::chrono::milliseconds& value, std::int64_t min) const {
  std::int64_t count = 0;
  read(count, min, 86'400'000);
  value = std::chrono::milliseconds(count);
}

void Setting::fail(std::string_view wanted) const {
  throw Error(Errc::invalid, fmt::format("The database setting {} is \"{}\" but must be {}.", name_,
                                         text_, wanted));
}

}  // namespace aegis::db
