#include "http/reply.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "http/status.h"

namespace aegis::http {
namespace {

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

Framing framing_of(const Response& response, bool http_1_0) {
  if (response.status() == 204 || response.status() == 304) return Framing::none;
  if (!response.source()) return Framing::length;
  return http_1_0 ? Framing::until_close : Framing::chunked;
}

void append_head(std::string& out, const Response& response, Framing framing,
                 ConnectionHeader connection, std::string_view date_line,
                 std::string_view request_id) {
  if (response.status() == 200) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    out += "HTTP/1.1 ";
    append_number(out, response.status());
    out.append(" ").append(reason(response.status())).append("\r\n");
  }
  if (!response.content_type().empty() && framing != Framing::none) {
    out.append("Content-Type: ").append(response.content_type()).append("\r\n");
  }
  if (framing == Framing::length) {
    out += "Content-Length: ";
    append_number(out, response.body().size());
    out += "\r\n";
  } else if (framing == Framing::chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  out += date_line;
  if (!request_id.empty()) out.append("X-Request-Id: ").append(request_id).append("\r\n");
  if (connection == ConnectionHeader::close) out += "Connection: close\r\n";
  if (connection == ConnectionHeader::keep_alive) out += "Connection: keep-alive\r\n";
  for (const auto& [name, value] : response.headers()) {
    out.append(name).append(": ").append(value).append("\r\n");
  }
  out += "\r\n";
}

std::string date_line(std::chrono::sys_seconds moment) {
  static constexpr std::array weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{moment - day};
  return fmt::format("Date: {}, {:02} {} {:04} {:02}:{:02}:{:02} GMT\r\n",
                     weekdays[std::chrono::weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace aegis::http
