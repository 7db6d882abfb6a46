#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aegis::db {

/// One connect arg: its name and how its text is read. What a bad value is told lists what may be.
class Setting {
 public:
  Setting(std::string_view name, std::string_view text) : name_(name), text_(text) {}

  // Each throws Error(invalid).
  void read(bool& value) const;
  /// One of `words`, which are in upper case.
  void read(std::string& value, std::span<const std::string_view> words) const;
  void read(std::int64_t& value, std::int64_t min, std::int64_t max) const;
  /// Milliseconds, up to a day.
  void read(std::chrono::milliseconds& value, std::int64_t min) const;

 private:
  [[noreturn]] void fail(std::string_view wanted) const;

  std::string_view name_, text_;
};

}  // namespace aegis::db
