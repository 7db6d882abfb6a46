#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace aegis {

namespace detail {
/// T as the user wrote it.
template <class T>
constexpr std::string_view type_name() {
  constexpr std::string_view text = __PRETTY_FUNCTION__;
  constexpr std::size_t begin = text.find("T = ") + 4;
  constexpr std::size_t end = text.find_first_of(";]", begin);
  return text.substr(begin, end - begin);
}
}  // namespace detail

/// Objects that handlers and jobs ask for by type: the database, the clock, a user's own. Filled
/// before the application starts, read-only afterwards.
class Services {
 public:
  /// A type's identity without RTTI: the address of its own constant.
  using Key = const void*;
  template <class T>
  static Key key() {
    static const char identity = 0;
    return &identity;
  }

  /// Offers `object` under its type; the caller keeps it alive. A second one replaces the first.
  template <class T>
  void provide(T& object) {
    put(key<T>(), &object);
  }
  /// Null when nobody provided one.
  template <class T>
  T* find() const {
    return static_cast<T*>(get(key<T>()));
  }
  /// The same without its type.
  void* find(Key wanted) const { return get(wanted); }
  bool has(Key wanted) const { return get(wanted) != nullptr; }

 private:
  void put(Key key, void* object);
  void* get(Key key) const;

  std::vector<std::pair<Key, void*>> entries_;
};

}  // namespace aegis
