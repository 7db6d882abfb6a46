#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/core/error.h"

namespace aegis::detail {

/// Where in a document something is: a chain of steps down from the root. Cheap to keep while
/// reading; only an error makes text of it.
struct Place {
  static constexpr std::size_t by_name = static_cast<std::size_t>(-1);

  const Place* parent = nullptr;  ///< null: the root, whose name is a JSON Pointer already
  std::string_view name{};        ///< of an object's member
  std::size_t index = by_name;    ///< of an array's element
};

/// The JSON Pointer (RFC 6901) to `place`; a long name is shortened.
std::string pointer_to(const Place& place);

/// What an answer can hold; a body of a million errors is not worth a longer one.
inline constexpr std::size_t max_errors = 100;

/// Appends unless there are max_errors already.
void add_error(std::vector<FieldError>& errors, const Place& place, std::string message);

}  // namespace aegis::detail
