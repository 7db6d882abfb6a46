#include "aegis/core/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <mutex>

#include "core/describe/utf8.h"
#include "core/secret.h"

namespace aegis::log {
namespace {

// What one line is made in: on the stack up to 500 bytes, no lock held.
using Line = fmt::memory_buffer;

void append(Line& line, std::string_view text) {
  line.append(text.data(), text.data() + text.size());
}

constexpr std::array<std::string_view, 7> level_names = {"trace", "debug",    "info", "warn",
                                                         "error", "critical", "off"};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

// Code points that could end a line, drive a terminal or reorder what is shown.
bool is_unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

char32_t decode(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  char32_t code_point = character.size() == 1 ? byte(0) : byte(0) & (0x7FU >> character.size());
  for (std::size_t i = 1; i < character.size(); ++i) {
    code_point = (code_point << 6) | (byte(i) & 0x3FU);
  }
  return code_point;
}

// `text` with unsafe code points as JSON escapes and invalid UTF-8 as U+FFFD.
void append_escaped(Line& line, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const std::size_t length = aegis::detail::utf8_character(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(character.size());
    if (length == 0) {
      append(line, "\xEF\xBF\xBD");
      continue;
    }
    const char32_t code_point = decode(character);
    if (quoted && (code_point == '"' || code_point == '\\')) {
      line.push_back('\\');
      append(line, character);
    } else if (!is_unsafe(code_point)) {
      append(line, character);
    } else if (code_point == '\n') {
      append(line, "\\n");
    } else if (code_point == '\r') {
      append(line, "\\r");
    } else if (code_point == '\t') {
      append(line, "\\t");
    } else {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<std::uint32_t>(code_point));
    }
  }
}

void append_quoted(Line& line, std::string_view text) {
  line.push_back('"');
  append_escaped(line, text, true);
  line.push_back('"');
}

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

void append_number(Line& line, double number, std::string_view not_finite) {
  if (std::isfinite(number)) {
    fmt::format_to(std::back_inserter(line), "{}", number);
  } else {
    append(line, not_finite);
  }
}

struct Json {
  static void key(Line& line, std::string_view name) {
    append(line, ",");
    // The line's own keys stay its own.
    const bool taken = name == "ts" || name == "level" || name == "msg";
    append_quoted(line, taken ? fmt::format("{}_", name) : std::string_view(name));
    append(line, ":");
  }

  static void value(Line& line, const Value& value) {
    std::visit(Overloaded{
                   [&](std::nullptr_t) { append(line, "null"); },
                   [&](std::string_view text) { append_quoted(line, text); },
                   [&](double number) { append_number(line, number, "null"); },
                   // Seconds, as metrics have them.
                   [&](std::chrono::nanoseconds duration) {
                     append_number(line, std::chrono::duration<double>(duration).count(), "null");
                   },
                   [&](Timestamp moment) { append_quoted(line, aegis::to_string(moment)); },
                   [&](auto number) { fmt::format_to(std::back_inserter(line), "{}", number); },
               },
               value);
  }

  static void begin(Line& line, Level level, Timestamp now, std::string_view message) {
    append(line, "{\"ts\":\"");
    append(line, aegis::to_string(now));
    append(line, "\",\"level\":\"");
    append(line, to_string(level));
    append(line, "\",\"msg\":");
    append_quoted(line, message);
  }

  static void end(Line& line) { append(line, "}"); }
};

struct Text {
  bool colour;
  bool first = true;

  static bool needs_quotes(std::string_view text) {
    return text.empty() || std::ranges::any_of(text, [](char c) {
             return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\';
           });
  }

  void begin(Line& line, Level level, Timestamp now, std::string_view message) const {
    constexpr std::array<std::string_view, 6> labels = {"TRACE", "DEBUG", "INFO ",
                                                        "WARN ", "ERROR", "CRIT "};
    constexpr std::array<std::string_view, 6> colours = {"\033[2m",  "\033[36m", "\033[32m",
                                                         "\033[33m", "\033[31m", "\033[1;31m"};
    append(line, local_second(now));
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(
        now - std::chrono::floor<std::chrono::seconds>(now));
    fmt::format_to(std::back_inserter(line), ".{:03} ", millis.count());
    const auto index = static_cast<std::size_t>(level);
    if (colour) append(line, colours[index]);
    append(line, labels[index]);
    if (colour) append(line, "\033[0m");
    append(line, " ");
    append_escaped(line, message, false);
  }

  void key(Line& line, std::string_view name) {
    append(line, first ? "  " : " ");
    first = false;
    if (colour) append(line, "\033[2m");
    if (needs_quotes(name)) {
      append_quoted(line, name);
    } else {
      append_escaped(line, name, false);
    }
    append(line, "=");
    if (colour) append(line, "\033[0m");
  }

  static void value(Line& line, const Value& value) {
    std::visit(Overloaded{
                   [&](std::nullptr_t) { append(line, "null"); },
                   [&](std::string_view text) {
                     if (needs_quotes(text)) {
                       append_quoted(line, text);
                     } else {
                       append_escaped(line, text, false);
                     }
                   },
                   [&](double number) { append_number(line, number, "nan"); },
                   [&](std::chrono::nanoseconds duration) { append_duration(line, duration); },
                   [&](Timestamp moment) { append(line, aegis::to_string(moment)); },
                   [&](auto number) { fmt::format_to(std::back_inserter(line), "{}", number); },
               },
               value);
  }

  static void end(Line&) {}

 private:
  // In the unit that a person would pick.
  static void append_duration(Line& line, std::chrono::nanoseconds duration) {
    const auto count = static_cast<double>(duration.count());
    const double size = std::abs(count);
    const auto out = std::back_inserter(line);
    if (size < 1e3) {
      fmt::format_to(out, "{}ns", duration.count());
    } else if (size < 1e6) {
      fmt::format_to(out, "{:.4g}us", count / 1e3);
    } else if (size < 1e9) {
      fmt::format_to(out, "{:.4g}ms", count / 1e6);
    } else {
      fmt::format_to(out, "{:.9g}s", std::round(count / 1e6) / 1e3);
    }
  }

  // "2026-11-21 11:39:40", made once a second and thread.
  static std::string_view local_second(Timestamp now) {
    thread_local std::time_t cached = -1;
    thread_local std::string text;
    const std::time_t second =
        std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(now));
    if (second != cached || text.empty()) {
      text = fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(second));
      cached = second;
    }
    return text;
  }
};

template <typename Style>
void append_bound(Line& line, Style& style, const Log::Bound* bound);

template <typename Style>
void append_attrs(Line& line, Style& style, std::span<const Attr> attrs) {
  for (const Attr& attr : attrs) {
    style.key(line, attr.key);
    style.value(line, names_a_secret(attr.key) ? Value(std::string_view("***")) : attr.value);
  }
}

template <typename Style>
void append_line(Line& line, Style style, Level at, std::string_view message,
                 const Log::Bound* bound, std::span<const Attr> attrs) {
  style.begin(line, at,
              std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()),
              message);
  append_bound(line, style, bound);
  append_attrs(line, style, attrs);
  style.end(line);
}

// The line is complete when it comes here; spdlog adds the newline and writes it in one go.
std::unique_ptr<spdlog::formatter> line_formatter() {
  return std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::local, "\n");
}

std::shared_ptr<spdlog::sinks::sink> stderr_sink() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  sink->set_formatter(line_formatter());
  return sink;
}

class MemorySink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  std::vector<std::string> lines() const {
    const std::lock_guard lock(lines_mutex_);
    return lines_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::lock_guard lock(lines_mutex_);
    lines_.emplace_back(message.payload.data(), message.payload.size());
  }
  void flush_() override {}

  mutable std::mutex lines_mutex_;
  std::vector<std::string> lines_;
};

enum class Style : std::uint8_t { json, text, coloured_text };

Style style_of(Format format) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  if (format == Format::json || (format == Format::automatic && !terminal)) return Style::json;
  const char* no_colour = std::getenv("NO_COLOR");  // https://no-color.org
  const char* term = std::getenv("TERM");
  const bool plain =
      !terminal || (no_colour && *no_colour) || (term && std::string_view(term) == "dumb");
  return plain ? Style::text : Style::coloured_text;
}

// Checked before anything else is done, so apart from the rest.
constinit std::atomic<Level> current_level = Level::info;

struct Process {
  std::shared_ptr<spdlog::sinks::dist_sink_mt> sinks =
      std::make_shared<spdlog::sinks::dist_sink_mt>();
  spdlog::logger logger{"aegis", sinks};
  std::atomic<Style> style = style_of(Format::automatic);

  Process() {
    sinks->set_sinks({stderr_sink()});
    logger.set_level(spdlog::level::trace);
  }

  // Never destroyed: destructors of static objects may log.
  static Process& get() {
    static Process& process = *new Process;
    return process;
  }
};

}  // namespace

struct Log::Bound {
  std::shared_ptr<const Bound> parent;
  std::string text;  // what the attributes' keys and texts refer to
  std::vector<Attr> attrs;
};

namespace {

template <typename Style>
void append_bound(Line& line, Style& style, const Log::Bound* bound) {
  if (!bound) return;
  append_bound(line, style, bound->parent.get());
  append_attrs(line, style, bound->attrs);
}

}  // namespace

std::string_view to_string(Level level) noexcept {
  return level_names[static_cast<std::size_t>(level)];
}

std::optional<Level> level_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < level_names.size(); ++i) {
    if (equal_ignoring_case(name, level_names[i])) return static_cast<Level>(i);
  }
  return std::nullopt;
}

std::optional<Format> format_of(std::string_view name) noexcept {
  if (name == "auto") return Format::automatic;
  if (name == "text") return Format::text;
  if (name == "json") return Format::json;
  return std::nullopt;
}

void configure(Level level, Format format) {
  Process::get().style = style_of(format);
  current_level = level;
}

Level level() noexcept {
  return current_level.load(std::memory_order_relaxed);
}

const Log& root() noexcept {
  static const Log log;
  return log;
}

Log Log::bind(std::span<const Attr> attrs) const {
  auto bound = std::make_shared<Bound>();
  bound->parent = bound_;
  bound->attrs.assign(attrs.begin(), attrs.end());
  std::size_t size = 0;
  for (const Attr& attr : attrs) {
    size += attr.key.size();
    if (const auto* text = std::get_if<std::string_view>(&attr.value)) size += text->size();
  }
  bound->text.reserve(size);  // what was appended must not move
  const auto keep = [&text = bound->text](std::string_view view) {
    const std::size_t begin = text.size();
    text.append(view);
    return std::string_view(text).substr(begin);
  };
  for (Attr& attr : bound->attrs) {
    attr.key = keep(attr.key);
    if (auto* text = std::get_if<std::string_view>(&attr.value)) *text = keep(*text);
  }
  Log log;
  log.bound_ = std::move(bound);
  return log;
}

void Log::emit(Level at, std::string_view message, std::span<const Attr> attrs) const {
  if (at >= Level::off) return;
  Process& process = Process::get();
  const Style style = process.style.load(std::memory_order_relaxed);
  Line line;
  if (style == Style::json) {
    append_line(line, Json{}, at, message, bound_.get(), attrs);
  } else {
    append_line(line, Text{style == Style::coloured_text}, at, message, bound_.get(), attrs);
  }
  process.logger.log(static_cast<spdlog::level::level_enum>(at),
                     spdlog::string_view_t(line.data(), line.size()));
}

struct Capture::Impl {
  std::shared_ptr<MemorySink> sink = std::make_shared<MemorySink>();
  Level level_before = log::level();
  Style style_before = Process::get().style;
};

Capture::Capture(Level level, Format format) : impl_(std::make_unique<Impl>()) {
  Process::get().style = format == Format::json ? Style::json : Style::text;
  current_level = level;
  Process::get().sinks->set_sinks({impl_->sink});
}

Capture::~Capture() {
  Process::get().sinks->set_sinks({stderr_sink()});
  Process::get().style = impl_->style_before;
  current_level = impl_->level_before;
}

std::vector<std::string> Capture::lines() const {
  return impl_->sink->lines();
}

bool Capture::contains(std::string_view text) const {
  return std::ranges::any_of(
      lines(), [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

}  // namespace aegis::log
