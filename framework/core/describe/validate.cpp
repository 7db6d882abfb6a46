#include "core/describe/validate.h"

#include <charconv>

#include "aegis/core/json.h"
#include "core/describe/text.h"
#include "core/describe/utf8.h"

namespace aegis {
namespace detail {
namespace {

/// Collects what one value breaks.
class Check {
 public:
  Check(const Rules& rules, std::vector<FieldError>& errors, const Place& place)
      : rules_(rules), errors_(errors), place_(place) {}

  void integer(std::int64_t value) {
    if (rules_.ge && value < *rules_.ge) fail("must be at least " + std::to_string(*rules_.ge));
    if (rules_.le && value > *rules_.le) fail("must be at most " + std::to_string(*rules_.le));
  }

  void duration(std::int64_t value) {
    const auto text = [](std::int64_t count) {
      return write_duration(std::chrono::milliseconds{count});
    };
    if (rules_.ge && value < *rules_.ge) fail("must be at least " + text(*rules_.ge));
    if (rules_.le && value > *rules_.le) fail("must be at most " + text(*rules_.le));
  }

  void real(double value) {
    if (rules_.ge) at_least(value, static_cast<double>(*rules_.ge));
    if (rules_.ge_real) at_least(value, *rules_.ge_real);
    if (rules_.le) at_most(value, static_cast<double>(*rules_.le));
    if (rules_.le_real) at_most(value, *rules_.le_real);
  }

  void text(std::string_view value) {
    const auto facts = inspect_utf8(value);
    if (!facts.valid) fail("must be valid UTF-8");
    // PostgreSQL cannot store it.
    if (value.find('\0') != value.npos) fail("must not contain the character U+0000");
    length(facts.characters, "character");
    choice(value);
  }

  void bytes(std::span<const std::byte> value) { length(value.size(), "byte"); }

 private:
  void fail(std::string message) { add_error(errors_, place_, std::move(message)); }

  // Written so that NaN breaks every bound.
  void at_least(double value, double limit) {
    if (!(value >= limit)) fail("must be at least " + number(limit));
  }
  void at_most(double value, double limit) {
    if (!(value <= limit)) fail("must be at most " + number(limit));
  }
  static std::string number(double value) { return write_text(type_of<double>(), &value); }

  void length(std::size_t count, std::string_view unit) {
    const auto limit = [unit](std::uint32_t n) {
      return std::to_string(n).append(" ").append(unit).append(n == 1 ? " long" : "s long");
    };
    if (rules_.min_length && count < *rules_.min_length) {
      fail("must be at least " + limit(*rules_.min_length));
    }
    if (rules_.max_length && count > *rules_.max_length) {
      fail("must be at most " + limit(*rules_.max_length));
    }
  }

  void choice(std::string_view value) {
    if (rules_.choice_count == 0) return;
    std::string list;
    for (const auto allowed : rules_.one_of()) {
      if (value == allowed) return;
      list.append(list.empty() ? "" : ", ").append(allowed);
    }
    fail("must be one of: " + list);
  }

  const Rules& rules_;
  std::vector<FieldError>& errors_;
  const Place& place_;
};

void validate_fields(const Object& description, const void* object, std::vector<FieldError>& errors,
                     const Place& place) {
  for (const auto& field : description.fields) {
    validate_value(*field.type, field.rules, field.of(object), errors, {&place, field.name});
  }
}

}  // namespace

void validate_value(const Type& type, const Rules& rules, const void* member,
                    std::vector<FieldError>& errors, const Place& place) {
  if (type.to_cell) {
    const Cell cell = type.to_cell(member);
    Check check{rules, errors, place};
    if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
      type.kind == Kind::duration ? check.duration(*integer) : check.integer(*integer);
    } else if (const auto* real = std::get_if<double>(&cell)) {
      check.real(*real);
    } else if (const auto* text = std::get_if<std::string_view>(&cell)) {
      check.text(*text);
    } else if (const auto* bytes = std::get_if<std::span<const std::byte>>(&cell)) {
      check.bytes(*bytes);
    }
  } else if (type.nullable) {
    const void* content = type.peek(member);
    if (content) validate_value(type.element(), rules, content, errors, place);
  } else if (type.kind == Kind::array) {
    const std::size_t size = type.size(member);
    for (std::size_t i = 0; i < size && errors.size() < max_errors; ++i) {
      validate_value(type.element(), {}, type.at(member, i), errors, {&place, {}, i});
    }
  } else {
    validate_fields(type.object(), member, errors, place);
  }
}

}  // namespace detail

void validate(const Object& description, const void* object, std::vector<FieldError>& errors,
              std::string_view pointer) {
  detail::validate_fields(description, object, errors, {.name = pointer});
}

void validate(const Type& type, const Rules& rules, const void* member,
              std::vector<FieldError>& errors, std::string_view pointer) {
  detail::validate_value(type, rules, member, errors, {.name = pointer});
}

bool is_required(const Object& description, const Field& field) {
  if (field.rules.required) return true;
  std::vector<FieldError> errors;
  validate(*field.type, field.rules, field.of(description.defaults()), errors, "");
  return !errors.empty();
}

}  // namespace aegis
