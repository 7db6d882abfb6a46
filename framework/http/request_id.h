#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <random>
#include <string>

namespace aegis::http {

/// Makes the X-Request-Id of requests that brought none: a random start per core, then a count.
/// Unique, not secret.
class RequestIds {
 public:
  RequestIds() {
    std::random_device random;
    prefix_ = fmt::format("{:08x}{:04x}-", random(), random() & 0xffff);
  }
  /// Writes the next one to `id`.
  void next(std::string& id) {
    const fmt::format_int number(++count_);
    id.assign(prefix_).append(number.data(), number.size());
  }

 private:
  std::string prefix_;
  std::uint64_t count_ = 0;
};

}  // namespace aegis::http
