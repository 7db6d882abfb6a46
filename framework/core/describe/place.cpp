#include "core/describe/place.h"

#include <utility>

#include "core/describe/utf8.h"

namespace aegis::detail {

std::string pointer_to(const Place& place) {
  if (!place.parent) return std::string{place.name};
  std::string pointer = pointer_to(*place.parent);
  pointer += '/';
  if (place.index != Place::by_name) return pointer += std::to_string(place.index);
  for (const char c : shorten(place.name)) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

void add_error(std::vector<FieldError>& errors, const Place& place, std::string message) {
  if (errors.size() < max_errors) errors.push_back({pointer_to(place), std::move(message)});
}

}  // namespace aegis::detail
