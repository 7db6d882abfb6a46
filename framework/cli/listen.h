#pragma once

#include <cstdint>
#include <string>

#include "cli/descriptor.h"

namespace aegis::cli {

struct Listening {
  Descriptor socket{};
  std::uint16_t port = 0;
};

/// A socket that listens on `port`, or on one of those that follow when it is in use. Throws
/// std::system_error.
Listening listen_on(const std::string& host, std::uint16_t port, int ports_to_try = 1);

}  // namespace aegis::cli
