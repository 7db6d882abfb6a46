#pragma once

#include <string_view>
#include <utility>

namespace aegis {

/// A value that no log, message, list of settings or JSON shows: they print `***`.
/// Secret<std::string> can be a field of a described struct, e.g. of settings.
template <class T>
class Secret {
 public:
  Secret() = default;
  explicit Secret(T value) : value_(std::move(value)) {}

  /// The value itself, for whoever needs it to do its work.
  const T& reveal() const noexcept { return value_; }

  std::string_view redacted() const noexcept { return "***"; }

  bool operator==(const Secret&) const = default;

  template <class Stream>
  friend Stream& operator<<(Stream& out, const Secret& secret) {
    out << secret.redacted();
    return out;
  }

 private:
  T value_{};
};

}  // namespace aegis
