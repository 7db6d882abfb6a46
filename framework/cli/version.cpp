#include "cli/version.h"

#include <charconv>
#include <limits>
#include <system_error>

namespace aegis::cli {

Version version_of(std::string_view text) {
  Version version{};
  for (int& number : version) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc::result_out_of_range) number = std::numeric_limits<int>::max();
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  return version;
}

}  // namespace aegis::cli
