#include "aegis/http/patch.h"

#include "aegis/core/json.h"

namespace aegis::detail {
namespace {

void copy(const Type& type, const void* from, void* to) {
  if (type.to_cell) {
    type.from_cell(type.to_cell(from), to);
  } else if (type.nullable) {
    if (const void* content = type.peek(from)) {
      copy(type.element(), content, type.emplace(to));
    } else {
      type.reset(to);
    }
  } else if (type.kind == Kind::array) {
    type.clear(to);
    for (std::size_t i = 0; i < type.size(from); ++i) {
      copy(type.element(), type.at(from, i), type.append(to));
    }
  } else {
    for (const Field& field : type.object().fields) {
      copy(*field.type, field.of(from), field.of(to));
    }
  }
}

}  // namespace

void copy_fields(const Object& description, const std::vector<bool>& present, const void* from,
                 void* to) {
  for (std::size_t i = 0; i < present.size(); ++i) {
    const Field& field = description.fields[i];
    if (present[i]) copy(*field.type, field.of(from), field.of(to));
  }
}

}  // namespace aegis::detail
