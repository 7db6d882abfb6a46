#include "aegis/core/time.h"

#include <algorithm>

#include "core/describe/timestamp.h"

namespace aegis {
namespace {

using namespace std::chrono;

/// RFC 3339 has four digits for the year.
constexpr Timestamp earliest = sys_days{year{1} / 1 / 1};
constexpr Timestamp latest = sys_days{year{10000} / 1 / 1} - microseconds{1};

template <int count>
void write_digits(char*& out, unsigned value) {
  for (int i = count - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
  out += count;
}

/// Reads a text from its start; after the first mismatch ok() stays false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

  /// Exactly `count` digits.
  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value * 10 + digit();
    return value;
  }

  /// Takes one character when it is any of `choices`; otherwise answers '\0' and takes nothing.
  char maybe(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) return '\0';
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  char one_of(std::string_view choices) {
    const char found = maybe(choices);
    ok_ = ok_ && found != '\0';
    return found;
  }

  /// 1 to 9 digits after the decimal point; what is finer than a microsecond is cut off.
  microseconds fraction() {
    int value = digit(), count = 1;
    for (char c; count < 9 && (c = maybe("0123456789")) != '\0'; ++count) {
      if (count < 6) value = value * 10 + (c - '0');
    }
    for (; count < 6; ++count) value *= 10;
    return microseconds{value};
  }

 private:
  int digit() {
    const char found = one_of("0123456789");
    return ok_ ? found - '0' : 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

void detail::write_timestamp(Timestamp moment, char* out) {
  moment = std::clamp(moment, earliest, latest);
  const auto day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss time{moment - day};
  write_digits<4>(out, static_cast<unsigned>(static_cast<int>(date.year())));
  *out++ = '-';
  write_digits<2>(out, static_cast<unsigned>(date.month()));
  *out++ = '-';
  write_digits<2>(out, static_cast<unsigned>(date.day()));
  *out++ = 'T';
  write_digits<2>(out, static_cast<unsigned>(time.hours().count()));
  *out++ = ':';
  write_digits<2>(out, static_cast<unsigned>(time.minutes().count()));
  *out++ = ':';
  write_digits<2>(out, static_cast<unsigned>(time.seconds().count()));
  *out++ = '.';
  write_digits<6>(out, static_cast<unsigned>(time.subseconds().count()));
  *out = 'Z';
}

std::string to_string(Timestamp moment) {
  std::string text(detail::timestamp_size, '\0');
  detail::write_timestamp(moment, text.data());
  return text;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  Scanner in{text};
  const int y = in.digits(4);
  in.one_of("-");
  const int m = in.digits(2);
  in.one_of("-");
  const int d = in.digits(2);
  in.one_of("Tt ");
  const int hour = in.digits(2);
  in.one_of(":");
  const int minute = in.digits(2);
  in.one_of(":");
  const int second = in.digits(2);
  const auto fraction = in.maybe(".") != '\0' ? in.fraction() : microseconds{0};
  const char zone = in.one_of("Zz+-");
  minutes offset{0};
  if (zone == '+' || zone == '-') {
    const int offset_hours = in.digits(2);
    in.one_of(":");
    const int offset_minutes = in.digits(2);
    if (offset_hours > 23 || offset_minutes > 59) return std::nullopt;
    offset = hours{offset_hours} + minutes{offset_minutes};
    if (zone == '-') offset = -offset;
  }
  if (!in.ok() || !in.at_end()) return std::nullopt;

  const year_month_day date{year{y}, month{static_cast<unsigned>(m)},
                            day{static_cast<unsigned>(d)}};
  // Second 60 is refused: a Timestamp, as POSIX time, has no place for a leap second.
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const Timestamp moment =
      sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + fraction - offset;
  if (moment < earliest || moment > latest) return std::nullopt;
  return moment;
}

}  // namespace aegis
