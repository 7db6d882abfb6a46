#include "core/describe/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "aegis/core/json.h"
#include "core/describe/base64.h"
#include "core/describe/utf8.h"

namespace aegis {
namespace detail {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 5> units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower[i]) return false;
  }
  return true;
}

std::optional<bool> parse_boolean(std::string_view text) {
  for (const std::string_view yes : {"true", "1", "yes", "on"}) {
    if (equal_ignoring_case(text, yes)) return true;
  }
  for (const std::string_view no : {"false", "0", "no", "off"}) {
    if (equal_ignoring_case(text, no)) return false;
  }
  return std::nullopt;
}

std::string store(const Type& type, const Cell& cell, void* object) {
  switch (type.from_cell(cell, object)) {
    case CellStatus::ok:
      return {};
    case CellStatus::out_of_range:
      return range_of(type);
    case CellStatus::null:
    case CellStatus::wrong_kind:
      break;
  }
  return std::string{expectation(type.kind)};
}

}  // namespace

std::string_view expectation(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "must be true or false";
    case Kind::integer:
      return "must be an integer";
    case Kind::real:
      return "must be a number";
    case Kind::text:
      return "must be a string";
    case Kind::bytes:
      return "must be a base64 string (RFC 4648, padded)";
    case Kind::timestamp:
      return "must be a time as in RFC 3339, such as 2026-11-21T11:39:40Z";
    case Kind::duration:
      return "must be a duration, such as 10s, 500ms, 2m or 1h";
    case Kind::object:
      return "must be an object";
    case Kind::array:
      return "must be an array";
  }
  return "must be a value";
}

std::string range_of(const Type& type) {
  return "must be between " + std::to_string(type.min) + " and " + std::to_string(type.max);
}

std::string read_real(std::string_view text, double& value) {
  double number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error == std::errc::invalid_argument || end != last) {
    return std::string{expectation(Kind::real)};
  }
  if (error == std::errc{}) {
    // JSON has no "inf" and "nan".
    if (!std::isfinite(number)) return std::string{expectation(Kind::real)};
  } else {
    // from_chars says the same of too large and of too small; too small is zero.
    number = std::strtod(std::string{text}.c_str(), nullptr);
    if (std::isinf(number)) {
      return "must be between -1.7976931348623157e308 and 1.7976931348623157e308";
    }
  }
  value = number;
  return {};
}

std::string read_duration(std::string_view text, std::chrono::milliseconds& value) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc::invalid_argument) return std::string{expectation(Kind::duration)};
  const auto name = text.substr(static_cast<std::size_t>(end - text.data()));
  if (name.empty()) return "must name its unit, such as 10s, 500ms, 2m or 1h";
  for (const auto& unit : units) {
    if (name != unit.name) continue;
    std::int64_t product = 0;
    if (error != std::errc{} || __builtin_mul_overflow(count, unit.milliseconds, &product)) {
      return "must be a shorter duration";
    }
    value = std::chrono::milliseconds{product};
    return {};
  }
  return std::string{expectation(Kind::duration)};
}

std::string write_duration(std::chrono::milliseconds value) {
  if (value.count() == 0) return "0s";
  for (const auto& unit : units) {
    if (value.count() % unit.milliseconds != 0) continue;
    return std::to_string(value.count() / unit.milliseconds).append(unit.name);
  }
  return {};  // not reached: every count is a number of milliseconds
}

std::string read_value(std::string_view text, const Type& type, void* object) {
  const char* const last = text.data() + text.size();
  switch (type.kind) {
    case Kind::boolean: {
      const auto value = parse_boolean(text);
      if (!value) break;
      return store(type, *value, object);
    }
    case Kind::integer: {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), last, value);
      if (error == std::errc::invalid_argument || end != last) break;
      if (error == std::errc::result_out_of_range) return range_of(type);
      return store(type, value, object);
    }
    case Kind::real: {
      double value = 0;
      auto problem = read_real(text, value);
      return problem.empty() ? store(type, value, object) : problem;
    }
    case Kind::text:
      if (!inspect_utf8(text).valid) return "must be valid UTF-8";
      if (text.find('\0') != text.npos) return "must not contain the character U+0000";
      return store(type, text, object);
    case Kind::bytes: {
      const auto value = decode_base64(text);
      if (!value) break;
      return store(type, std::span<const std::byte>{*value}, object);
    }
    case Kind::timestamp:
      return store(type, text, object);
    case Kind::duration: {
      std::chrono::milliseconds value{};
      auto problem = read_duration(text, value);
      return problem.empty() ? store(type, std::int64_t{value.count()}, object) : problem;
    }
    case Kind::object:
    case Kind::array:
      return "cannot be read from a single text";
  }
  return std::string{expectation(type.kind)};
}

}  // namespace detail

std::string read_text(std::string_view text, const Type& type, void* object) {
  if (type.nullable && text.empty() && type.from_cell) {
    return detail::store(type, std::monostate{}, object);
  }
  return detail::read_value(text, type, object);
}

std::string write_text(const Type& type, const void* object) {
  if (!type.to_cell) return {};  // an object or array is no scalar
  struct Writer {
    Kind kind;
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const {
      return kind == Kind::duration ? detail::write_duration(std::chrono::milliseconds{value})
                                    : std::to_string(value);
    }
    std::string operator()(double value) const {
      std::array<char, 32> text;
      const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
      return {text.data(), end};
    }
    std::string operator()(std::string_view value) const { return std::string{value}; }
    std::string operator()(std::span<const std::byte> value) const {
      return detail::encode_base64(value);
    }
    std::string operator()(Timestamp value) const { return to_string(value); }
  };
  return std::visit(Writer{type.kind}, type.to_cell(object));
}

}  // namespace aegis
