#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

/// Reads the text of a cron expression, at compile time where it is a literal.
namespace aegis::detail {

/// What an expression says: sets of values, where bit n stands for n.
struct CronFields {
  std::uint64_t seconds = 0, minutes = 0;
  std::uint32_t hours = 0, days = 0;
  std::uint16_t months = 0;
  std::uint8_t weekdays = 0;  ///< bit 0: Sunday
  // What only a month's calendar can tell.
  std::uint32_t before_last = 0;               ///< L-n; L is L-0
  std::uint32_t nearest_weekday = 0;           ///< nW; bit 0: LW
  std::array<std::uint8_t, 6> nth_weekdays{};  ///< [n]: those with #n; [0]: those with L
  bool any_day = false, any_weekday = false;   ///< the field begins with '*'
  bool wildcard = false;                       ///< the minute or the hour begins with '*'

  constexpr bool operator==(const CronFields&) const = default;
};

/// Why a text is no cron expression.
struct CronProblem {
  enum class What : std::uint8_t {
    nothing,
    fields,     ///< neither five nor six
    shorthand,  ///< an unknown @word
    item,       ///< no value, range, step or name of this field
    value,      ///< not in the field's range
    backwards,  ///< a range whose end is before its beginning
    step,       ///< none, or 0
    never,      ///< no month has such a day
  };

  What what = What::nothing;
  std::size_t field = 0;     ///< 0: seconds, …, 5: day of the week
  std::string_view item{};   ///< the part of the text that is wrong
  std::size_t position = 0;  ///< where it begins, counted from 1
};

struct CronField {
  std::string_view name;
  int low, high;
  int first_name;  ///< the value that `names` begin with
  std::array<std::string_view, 12> names;
  std::string_view allowed;
};

inline constexpr std::array<CronField, 6> cron_fields{{
    {"second", 0, 59, 0, {}, "0-59"},
    {"minute", 0, 59, 0, {}, "0-59"},
    {"hour", 0, 23, 0, {}, "0-23"},
    {"day of the month", 1, 31, 0, {}, "1-31, L (the last), L-3, 15W (the nearest weekday) and LW"},
    {"month",
     1,
     12,
     1,
     {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"},
     "1-12 and JAN-DEC"},
    {"day of the week",
     0,
     7,
     0,
     {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"},
     "0-7 (0 and 7 are Sunday), SUN-SAT, 5L (the last Friday) and 5#2 (the second one)"},
}};

class CronReader {
 public:
  explicit constexpr CronReader(std::string_view text) : text_(text) {}

  constexpr CronProblem read(CronFields& fields) {
    std::string_view text = text_;
    if (text.starts_with('@')) {
      text = meaning(text);
      if (text.empty()) return problem(CronProblem::What::shorthand, text_);
      text_ = text;
    }
    std::array<std::string_view, 6> parts{};
    std::size_t count = 0;
    for (;;) {
      while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
      if (text.empty()) break;
      if (count == parts.size()) return problem(CronProblem::What::fields, text_);
      std::size_t end = 0;
      while (end < text.size() && text[end] != ' ' && text[end] != '\t') ++end;
      parts[count++] = text.substr(0, end);
      text.remove_prefix(end);
    }
    if (count < 5) return problem(CronProblem::What::fields, text_);
    const std::size_t skipped = parts.size() - count;
    if (skipped != 0) fields.seconds = 1;
    for (std::size_t i = 0; i < count; ++i) {
      field_ = i + skipped;
      const CronProblem found = read_field(parts[i], fields);
      if (found.what != CronProblem::What::nothing) return found;
    }
    if (fields.weekdays & 0x80) fields.weekdays = (fields.weekdays & 0x7f) | 1;
    field_ = 3;
    if (!is_possible(fields)) return problem(CronProblem::What::never, parts[3 - skipped]);
    return {};
  }

 private:
  using What = CronProblem::What;

  static constexpr std::string_view meaning(std::string_view word) {
    if (word == "@yearly" || word == "@annually") return "0 0 1 1 *";
    if (word == "@monthly") return "0 0 1 * *";
    if (word == "@weekly") return "0 0 * * 0";
    if (word == "@daily" || word == "@midnight") return "0 0 * * *";
    if (word == "@hourly") return "0 * * * *";
    return {};
  }

  constexpr CronProblem problem(What what, std::string_view item) const {
    const auto at = static_cast<std::size_t>(item.data() - text_.data());
    return {.what = what, .field = field_, .item = item, .position = at + 1};
  }

  constexpr const CronField& kind() const { return cron_fields[field_]; }
  constexpr bool is_day() const { return field_ == 3; }
  constexpr bool is_weekday() const { return field_ == 5; }

  constexpr CronProblem read_field(std::string_view text, CronFields& to) {
    const bool star = text.front() == '*' || text.front() == '?';
    if (star && (field_ == 1 || field_ == 2)) to.wildcard = true;
    if (is_day()) to.any_day = star;
    if (is_weekday()) to.any_weekday = star;
    for (;;) {
      std::size_t end = 0;
      while (end < text.size() && text[end] != ',') ++end;
      const CronProblem found = read_item(text.substr(0, end), to);
      if (found.what != What::nothing || end == text.size()) return found;
      text.remove_prefix(end + 1);
    }
  }

  /// A value, a range, a step, or what only days know.
  constexpr CronProblem read_item(std::string_view item, CronFields& to) {
    if (is_day() && read_special_day(item, to)) return {};
    if (is_weekday() && read_special_weekday(item, to)) return {};

    std::string_view rest = item;
    int low = kind().low, high = is_weekday() ? 6 : kind().high, step = 1;
    bool single = false;
    if (rest.starts_with('*') || (rest == "?" && (is_day() || is_weekday()))) {
      rest.remove_prefix(1);
    } else {
      const auto begin = take_value(rest);
      if (!begin) return problem(What::item, item);
      low = *begin;
      single = true;
      if (rest.starts_with('-')) {
        rest.remove_prefix(1);
        const auto end = take_value(rest);
        if (!end) return problem(What::item, item);
        high = is_weekday() && *end == 0 ? 7 : *end;  // FRI-SUN
        single = false;
        if (in_range(low) && in_range(high) && high < low) return problem(What::backwards, item);
      }
    }
    if (rest.starts_with('/')) {
      rest.remove_prefix(1);
      const auto number = take_number(rest);
      if (!number || *number == 0) return problem(What::step, item);
      step = *number;
      single = false;  // 5/15 means from 5 on
    }
    if (!rest.empty()) return problem(What::item, item);
    if (single) high = low;
    if (!in_range(low) || !in_range(high)) return problem(What::value, item);
    for (int value = low; value <= high; value += step) add(value, to);
    return {};
  }

  constexpr bool in_range(int value) const { return value >= kind().low && value <= kind().high; }

  constexpr void add(int value, CronFields& to) const {
    const std::uint64_t bit = std::uint64_t{1} << value;
    if (field_ == 0) to.seconds |= bit;
    if (field_ == 1) to.minutes |= bit;
    if (field_ == 2) to.hours |= static_cast<std::uint32_t>(bit);
    if (field_ == 3) to.days |= static_cast<std::uint32_t>(bit);
    if (field_ == 4) to.months |= static_cast<std::uint16_t>(bit);
    if (field_ == 5) to.weekdays |= static_cast<std::uint8_t>(bit);
  }

  /// L, L-3, 15W, LW.
  static constexpr bool read_special_day(std::string_view item, CronFields& to) {
    if (item == "LW" || item == "WL") {
      to.nearest_weekday |= 1;
      return true;
    }
    if (item.starts_with('L')) {
      std::string_view rest = item.substr(1);
      int before = 0;
      if (rest.starts_with('-')) {
        rest.remove_prefix(1);
        const auto number = take_number(rest);
        if (!number || *number > 30) return false;
        before = *number;
      }
      if (!rest.empty()) return false;
      to.before_last |= std::uint32_t{1} << before;
      return true;
    }
    if (!item.ends_with('W')) return false;
    const auto day = take_number(item);
    if (!day || *day < 1 || *day > 31 || item != "W") return false;
    to.nearest_weekday |= std::uint32_t{1} << *day;
    return true;
  }

  /// 5L, FRIL, 5#2.
  constexpr bool read_special_weekday(std::string_view item, CronFields& to) const {
    const auto weekday = take_value(item);
    if (!weekday || !in_range(*weekday)) return false;
    const auto bit = static_cast<std::uint8_t>(1 << *weekday % 7);
    if (item == "L") {
      to.nth_weekdays[0] |= bit;
      return true;
    }
    if (item.size() != 2 || item[0] != '#' || item[1] < '1' || item[1] > '5') return false;
    to.nth_weekdays[static_cast<std::size_t>(item[1] - '0')] |= bit;
    return true;
  }

  /// A number or a name, which is taken from the text.
  constexpr std::optional<int> take_value(std::string_view& text) const {
    for (std::size_t i = 0; i < kind().names.size() && text.size() >= 3; ++i) {
      const std::string_view name = kind().names[i];
      if (name.empty()) break;
      bool same = true;
      for (std::size_t k = 0; k < 3; ++k) {
        const char c = text[k];
        same &= (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c) == name[k];
      }
      if (!same) continue;
      text.remove_prefix(3);
      return kind().first_name + static_cast<int>(i);
    }
    return take_number(text);
  }

  static constexpr std::optional<int> take_number(std::string_view& text) {
    int number = 0;
    std::size_t digits = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
      number = number * 10 + (text[digits++] - '0');
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
    return number;
  }

  /// Whether some month has one of the days: not so for the 30th of February, and for 30 days
  /// before its last one.
  static constexpr bool is_possible(const CronFields& fields) {
    const bool by_weekday = !fields.any_weekday && !fields.any_day;  // either will do
    const std::uint32_t days = fields.days | (fields.nearest_weekday & ~std::uint32_t{1});
    if (by_weekday || (fields.nearest_weekday & 1) != 0) return true;
    constexpr std::array most{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (std::size_t month = 1; month <= 12; ++month) {
      const auto in_month = static_cast<std::uint32_t>((std::uint64_t{2} << most[month]) - 1);
      const bool some = (days & in_month) != 0 || (fields.before_last & in_month >> 1) != 0;
      if ((fields.months >> month & 1) != 0 && some) return true;
    }
    return false;
  }

  std::string_view text_;
  std::size_t field_ = 0;
};

}  // namespace aegis::detail
