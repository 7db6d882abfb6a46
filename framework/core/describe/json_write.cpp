#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "aegis/core/json.h"
#include "core/describe/base64.h"
#include "core/describe/text.h"
#include "core/describe/timestamp.h"
#include "core/describe/utf8.h"

namespace aegis {
namespace {

/// Collects small pieces and appends them to a string in few calls.
class Output {
 public:
  explicit Output(std::string& out) : out_(out) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void put(char c) {
    *room(1) = c;
    ++used_;
  }

  void put(std::string_view text) {
    if (text.size() > buffer_.size() - used_) {
      flush();
      if (text.size() > buffer_.size()) {
        out_.append(text);
        return;
      }
    }
    std::memcpy(buffer_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }

  /// Space for `size` characters, not more than 64; then `wrote` says how many were needed.
  char* room(std::size_t size) {
    if (size > buffer_.size() - used_) flush();
    return buffer_.data() + used_;
  }
  void wrote(std::size_t size) { used_ += size; }

  void flush() {
    out_.append(buffer_.data(), used_);
    used_ = 0;
  }

 private:
  std::string& out_;
  std::size_t used_ = 0;
  std::array<char, 512> buffer_;
};

/// Whether any of eight characters needs a look: a quote, a backslash, a control character or a
/// byte of a multi-byte character. (Bit tricks: haszero() of the Bit Twiddling Hacks.)
bool needs_care(const char* eight) {
  std::uint64_t block = 0;
  std::memcpy(&block, eight, sizeof block);
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x80 * ones;
  const auto zero_byte = [](std::uint64_t v) { return (v - ones) & ~v; };
  const auto control = (block - 0x20 * ones) & ~block;
  return ((block | control | zero_byte(block ^ ('"' * ones)) | zero_byte(block ^ ('\\' * ones))) &
          highs) != 0;
}

void put_escaped(char c, Output& out) {
  switch (c) {
    case '"':
      return out.put("\\\"");
    case '\\':
      return out.put("\\\\");
    case '\b':
      return out.put("\\b");
    case '\f':
      return out.put("\\f");
    case '\n':
      return out.put("\\n");
    case '\r':
      return out.put("\\r");
    case '\t':
      return out.put("\\t");
    default:
      constexpr std::string_view digits = "0123456789abcdef";
      out.put("\\u00");
      out.put(digits[static_cast<unsigned char>(c) >> 4]);
      out.put(digits[c & 0xF]);
  }
}

void put_string(std::string_view text, Output& out) {
  out.put('"');
  std::size_t start = 0, at = 0;  // [start, at) needs no escape
  while (at < text.size()) {
    if (text.size() - at >= 8 && !needs_care(text.data() + at)) {
      at += 8;
      continue;
    }
    const char c = text[at];
    const bool plain = static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
    const std::size_t length = plain ? detail::utf8_character(text.substr(at)) : 0;
    if (length != 0) {
      at += length;
      continue;
    }
    out.put(text.substr(start, at - start));
    if (plain) {
      out.put("\xEF\xBF\xBD");  // U+FFFD, the replacement character
    } else {
      put_escaped(c, out);
    }
    start = ++at;
  }
  out.put(text.substr(start));
  out.put('"');
}

template <class Number>
void put_number(Number value, Output& out) {
  constexpr std::size_t longest = 32;
  char* const start = out.room(longest);
  out.wrote(static_cast<std::size_t>(std::to_chars(start, start + longest, value).ptr - start));
}

struct ScalarWriter {
  Kind kind;
  Output& out;

  void operator()(std::monostate) const { out.put("null"); }
  void operator()(bool value) const { out.put(value ? "true" : "false"); }
  void operator()(std::int64_t value) const {
    if (kind == Kind::duration) {
      put_string(detail::write_duration(std::chrono::milliseconds{value}), out);
    } else {
      put_number(value, out);
    }
  }
  void operator()(double value) const {
    if (std::isfinite(value)) {
      put_number(value, out);
    } else {
      out.put("null");
    }
  }
  void operator()(std::string_view value) const { put_string(value, out); }
  void operator()(std::span<const std::byte> value) const {
    out.put('"');
    out.put(detail::encode_base64(value));
    out.put('"');
  }
  void operator()(Timestamp value) const {
    char* const start = out.room(detail::timestamp_size + 2);
    start[0] = '"';
    detail::write_timestamp(value, start + 1);
    start[detail::timestamp_size + 1] = '"';
    out.wrote(detail::timestamp_size + 2);
  }
};

void put_value(const Type& type, const void* value, Output& out);

void put_object(const Object& description, const void* object, Output& out) {
  out.put('{');
  bool first = true;
  for (const auto& field : description.fields) {
    out.put(first ? "\"" : ",\"");
    out.put(field.name);  // an identifier: nothing to escape
    out.put("\":");
    put_value(*field.type, field.of(object), out);
    first = false;
  }
  out.put('}');
}

void put_array(const Type& type, const void* array, Output& out) {
  const Type& element = type.element();
  const std::size_t size = type.size(array);
  out.put('[');
  for (std::size_t i = 0; i < size; ++i) {
    if (i > 0) out.put(',');
    put_value(element, type.at(array, i), out);
  }
  out.put(']');
}

void put_value(const Type& type, const void* value, Output& out) {
  if (type.secret) return out.put("\"***\"");
  if (type.to_cell) return std::visit(ScalarWriter{type.kind, out}, type.to_cell(value));
  if (type.nullable) {
    const void* content = type.peek(value);
    return content ? put_value(type.element(), content, out) : out.put("null");
  }
  return type.kind == Kind::array ? put_array(type, value, out)
                                  : put_object(type.object(), value, out);
}

}  // namespace

void append_json(const Type& type, const void* object, std::string& out) {
  Output output{out};
  put_value(type, object, output);
  output.flush();
}

void append_json(std::string_view text, std::string& out) {
  Output output{out};
  put_string(text, output);
  output.flush();
}

}  // namespace aegis
