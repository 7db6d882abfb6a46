#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "aegis/core/time.h"

/// Structured logs: a message and key/value pairs, one line each, on stderr.
///
///     log::info("shield forged", "id", shield.id, "name", shield.name);
///     // 2026-11-21 11:39:40.123 INFO  shield forged  id=5 name="Dragon Scale"
///
/// Text from outside cannot split or forge a line: control characters are escaped and invalid UTF-8
/// is replaced. Values under a secret's key (password, token, …) are written as `***`.
namespace aegis::log {

enum class Level : std::uint8_t { trace, debug, info, warn, error, critical, off };

/// How lines look: `text` for people, `json` for machines, `automatic` text if stderr is a
/// terminal.
enum class Format : std::uint8_t { automatic, text, json };

std::string_view to_string(Level level) noexcept;
/// The level of that name; nothing if there is none.
std::optional<Level> level_of(std::string_view name) noexcept;
/// The format of that name (`auto`, `text` or `json`); nothing if there is none.
std::optional<Format> format_of(std::string_view name) noexcept;

/// Sets the process's level and format. Any thread, any time.
void configure(Level level, Format format = Format::automatic);
Level level() noexcept;

using Value = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                           std::string_view, std::chrono::nanoseconds, Timestamp>;

/// A key and its value; a view of both, gone when the statement that logs is done.
struct Attr {
  std::string_view key;
  Value value;
};

namespace detail {

template <typename T>
constexpr bool always_false = false;

template <typename T>
concept Redacted = requires(const T& value) {
  { value.redacted() } -> std::convertible_to<std::string_view>;
};

template <typename T>
Value to_value(const T& value) {
  if constexpr (std::same_as<T, bool> || std::same_as<T, std::nullptr_t>) {
    return value;
  } else if constexpr (std::same_as<T, char>) {
    return std::string_view(&value, 1);
  } else if constexpr (std::signed_integral<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::unsigned_integral<T>) {
    return static_cast<std::uint64_t>(value);
  } else if constexpr (std::floating_point<T>) {
    return static_cast<double>(value);
  } else if constexpr (Redacted<T>) {
    return std::string_view(value.redacted());
  } else if constexpr (std::convertible_to<const T&, const char*>) {
    const char* text = value;
    return text ? Value(std::string_view(text)) : Value(nullptr);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    return std::string_view(value);
  } else if constexpr (requires { std::chrono::nanoseconds(value); }) {
    return std::chrono::nanoseconds(value);
  } else if constexpr (requires { value.time_since_epoch(); }) {
    return std::chrono::floor<std::chrono::microseconds>(value);
  } else if constexpr (requires {
                         value.has_value();
                         *value;
                       }) {
    return value ? to_value(*value) : Value(nullptr);
  } else {
    static_assert(
        always_false<T>,
        "a log value is a bool, a number, text, a duration, a system time, or an optional "
        "of one of these");
  }
}

inline void fill(Attr*) {}

template <typename V, typename... Rest>
void fill(Attr* out, std::string_view key, const V& value, const Rest&... rest) {
  *out = Attr{key, to_value(value)};
  fill(out + 1, rest...);
}

template <typename... Args>
std::array<Attr, sizeof...(Args) / 2> attrs(const Args&... args) {
  static_assert(sizeof...(Args) % 2 == 0, "after the message come pairs: \"key\", value, …");
  std::array<Attr, sizeof...(Args) / 2> out;
  fill(out.data(), args...);
  return out;
}

}  // namespace detail

/// A logger with attributes of its own, written on each of its lines. Cheap to copy, safe to share.
class Log {
 public:
  Log() = default;

  /// This logger and some more attributes, whose values are copied.
  template <typename... Args>
  [[nodiscard]] Log with(const Args&... args) const {
    return bind(detail::attrs(args...));
  }

  bool enabled(Level at) const noexcept { return at >= level(); }

  template <typename... Args>
  void write(Level at, std::string_view message, const Args&... args) const {
    if (enabled(at)) emit(at, message, detail::attrs(args...));
  }
  template <typename... Args>
  void trace(std::string_view message, const Args&... args) const {
    write(Level::trace, message, args...);
  }
  template <typename... Args>
  void debug(std::string_view message, const Args&... args) const {
    write(Level::debug, message, args...);
  }
  template <typename... Args>
  void info(std::string_view message, const Args&... args) const {
    write(Level::info, message, args...);
  }
  template <typename... Args>
  void warn(std::string_view message, const Args&... args) const {
    write(Level::warn, message, args...);
  }
  template <typename... Args>
  void error(std::string_view message, const Args&... args) const {
    write(Level::error, message, args...);
  }
  template <typename... Args>
  void critical(std::string_view message, const Args&... args) const {
    write(Level::critical, message, args...);
  }

  struct Bound;

 private:
  Log bind(std::span<const Attr> attrs) const;
  void emit(Level at, std::string_view message, std::span<const Attr> attrs) const;

  std::shared_ptr<const Bound> bound_;
};

/// The process's logger, without attributes.
const Log& root() noexcept;

template <typename... Args>
void trace(std::string_view message, const Args&... args) {
  root().trace(message, args...);
}
template <typename... Args>
void debug(std::string_view message, const Args&... args) {
  root().debug(message, args...);
}
template <typename... Args>
void info(std::string_view message, const Args&... args) {
  root().info(message, args...);
}
template <typename... Args>
void warn(std::string_view message, const Args&... args) {
  root().warn(message, args...);
}
template <typename... Args>
void error(std::string_view message, const Args&... args) {
  root().error(message, args...);
}
template <typename... Args>
void critical(std::string_view message, const Args&... args) {
  root().critical(message, args...);
}

/// For tests: while it lives, lines are kept here, uncoloured, instead of written to stderr.
class Capture {
 public:
  explicit Capture(Level level = Level::trace, Format format = Format::json);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// What was logged so far, without the newlines.
  std::vector<std::string> lines() const;
  /// Whether a line contains `text`.
  bool contains(std::string_view text) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aegis::log
