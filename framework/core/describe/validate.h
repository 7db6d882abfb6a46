#pragma once

#include <vector>

#include "aegis/core/type.h"
#include "core/describe/place.h"

namespace aegis::detail {

/// Appends what breaks `rules` in the value at `member`, and in the fields of an object or array.
void validate_value(const Type& type, const Rules& rules, const void* member,
                    std::vector<FieldError>& errors, const Place& place);

}  // namespace aegis::detail
