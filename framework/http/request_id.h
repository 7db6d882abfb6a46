#pragma once

#include <fmt/format.h>

#include <random>
#include <string>

namespace aegis::http {

/// Makes the X-Request-Id of requests that brought none: a random start per core, then a count.
/// Unique, not secret.
class RequestIds {
 public:
  RequestIds() {
    std::random_device random;
    text_ = fmt::format("{:08x}{:04x}-000000000000", random(), random() & 0xffff);
  }
  /// The next one, until the next call.
  const std::string& next() {
    for (auto digit = text_.rbegin(); *digit != '-'; ++digit) {  // counts in place
      if (*digit != '9') {
        ++*digit;
        break;
      }
      *digit = '0';
    }
    return text_;
  }

 private:
  std::string text_;
};

}  // namespace aegis::http
