#include "core/secret.h"

#include <algorithm>
#include <array>

namespace aegis {

bool names_a_secret(std::string_view key) {
  static constexpr std::array<std::string_view, 11> suffixes = {
      "password", "passwd",  "token",  "secret",      "authorization", "cookie",
      "api_key",  "api-key", "apikey", "private_key", "secret_key"};
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::any_of(suffixes, [&](std::string_view suffix) {
    return key.size() >= suffix.size() &&
           std::ranges::equal(key.substr(key.size() - suffix.size()), suffix, {}, lower);
  });
}

}  // namespace aegis
