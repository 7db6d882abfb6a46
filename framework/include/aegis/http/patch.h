#pragma once

#include <vector>

#include "aegis/core/fields.h"

namespace aegis {

namespace detail {
/// Copies the fields that are `present` from one object of `description` to another.
void copy_fields(const Object& description, const std::vector<bool>& present, const void* from,
                 void* to);
}  // namespace detail

/// A change to a T: the members that a JSON body named (RFC 7396: null clears an optional one; the
/// primary key cannot be named). Use as Body<Patch<Shield>>.
template <Described T>
struct Patch {
  T values{};                   ///< where the named members were read into
  std::vector<bool> present{};  ///< by field index: whether the body named it

  /// Writes the named members into `target`.
  void apply_to(T& target) const { detail::copy_fields(describe<T>(), present, &values, &target); }
};

}  // namespace aegis
