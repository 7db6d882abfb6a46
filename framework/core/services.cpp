#include "aegis/core/services.h"

namespace aegis {

// A handful of entries: a scan beats a hash.

void Services::put(Key key, void* object) {
  for (auto& [known, held] : entries_) {
    if (known == key) {
      held = object;
      return;
    }
  }
  entries_.emplace_back(key, object);
}

void* Services::get(Key key) const {
  for (const auto& [known, held] : entries_) {
    if (known == key) return held;
  }
  return nullptr;
}

}  // namespace aegis
