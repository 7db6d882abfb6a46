#include "http/reply_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "http/status.h"

namespace aegis::http {
namespace {

/// Writes into room made once: a head is a dozen small pieces, and appending each would cost more
/// than the rest of it.
class Writer {
 public:
  Writer(Buffer& out, std::size_t at_most)
      : out_(out), begin_(out.room(at_most).data()), at_(begin_) {}
  ~Writer() { out_.commit(static_cast<std::size_t>(at_ - begin_)); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void text(std::string_view piece) { at_ = std::copy(piece.begin(), piece.end(), at_); }
  template <std::size_t N>
  void text(const char (&literal)[N]) {
    std::memcpy(at_, literal, N - 1);
    at_ += N - 1;
  }
  template <class Number>
  void number(Number value) {
    at_ = std::to_chars(at_, at_ + max_digits, value).ptr;
  }

  static constexpr std::size_t max_digits = 20;

 private:
  Buffer& out_;
  char* const begin_;
  char* at_;
};

}  // namespace

Framing framing_of(const Response& response, bool http_1_0) {
  if (response.status() == 204 || response.status() == 304) return Framing::none;
  if (!response.source()) return Framing::length;
  return http_1_0 ? Framing::until_close : Framing::chunked;
}

void append_head(Buffer& out, const Response& response, Framing framing,
                 ConnectionHeader connection, std::string_view date_line,
                 std::string_view request_id) {
  constexpr std::size_t literals_and_numbers = 256;
  std::size_t at_most =
      literals_and_numbers + response.content_type().size() + date_line.size() + request_id.size();
  for (const auto& [name, value] : response.headers()) at_most += name.size() + value.size() + 4;

  Writer head(out, at_most);
  if (response.status() == 200) {
    head.text("HTTP/1.1 200 OK\r\n");
  } else {
    head.text("HTTP/1.1 ");
    head.number(response.status());
    head.text(" ");
    head.text(reason(response.status()));
    head.text("\r\n");
  }
  if (!response.content_type().empty() && framing != Framing::none) {
    head.text("Content-Type: ");
    head.text(response.content_type());
    head.text("\r\n");
  }
  if (framing == Framing::length) {
    head.text("Content-Length: ");
    head.number(response.body().size());
    head.text("\r\n");
  } else if (framing == Framing::chunked) {
    head.text("Transfer-Encoding: chunked\r\n");
  }
  head.text(date_line);
  if (!request_id.empty()) {
    head.text("X-Request-Id: ");
    head.text(request_id);
    head.text("\r\n");
  }
  if (connection == ConnectionHeader::close) head.text("Connection: close\r\n");
  if (connection == ConnectionHeader::keep_alive) head.text("Connection: keep-alive\r\n");
  for (const auto& [name, value] : response.headers()) {
    head.text(name);
    head.text(": ");
    head.text(value);
    head.text("\r\n");
  }
  head.text("\r\n");
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
