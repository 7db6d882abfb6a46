#pragma once

#include <cstddef>
#include <string_view>

namespace aegis {

/// Whether they are equal, in a time that tells nothing of where they differ: for secrets.
inline bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  volatile unsigned difference = 0;  // volatile: or the loop may end early
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = difference | static_cast<unsigned>(a[i] ^ b[i]);
  }
  return difference == 0;
}

}  // namespace aegis
