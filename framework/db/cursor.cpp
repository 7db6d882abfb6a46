#include "db/cursor.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "aegis/core/error.h"
#include "core/describe/base64.h"

// The text is base64url without padding of: four bytes of a hash of table and order, and for each
// column of the order a byte that says what follows, and its value.

namespace aegis::db {
namespace {

enum class Tag : std::uint8_t { null, boolean, integer, real, text, bytes, timestamp };

[[noreturn]] void refuse() {
  // Where lists of services take it, by convention.
  throw ValidationError({{"query/after",
                          "is not a cursor of this list; take `next` of its page before as it is, "
                          "or leave it out"}});
}

/// FNV-1a: no secret, it only tells lists apart.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) add(static_cast<std::uint8_t>(c));
    add(0);
  }
  void add(std::uint8_t byte) { value_ = (value_ ^ byte) * 16'777'619U; }
  std::uint32_t value() const { return value_; }

 private:
  std::uint32_t value_ = 2'166'136'261U;
};

std::uint32_t hash_of(const Query& query) {
  Hash hash;
  hash.add(query.table->name);
  for (const Order& order : query.order) {
    hash.add(order.column);
    hash.add(std::uint8_t{order.descending});
  }
  return hash.value();
}

class Writer {
 public:
  template <class Number>
  void number(Number value) {  // most significant byte first
    for (std::size_t i = sizeof value; i-- > 0;) {
      bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
  }
  void cell(const Cell& cell) {
    number(static_cast<std::uint8_t>(cell.index()));
    std::visit([this](const auto& value) { put(value); }, cell);
  }
  std::string text() const {
    std::string text = detail::encode_base64(bytes_);
    text.erase(std::ranges::find(text, '='), text.end());
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
  }

 private:
  void put(std::monostate) {}
  void put(bool value) { number(std::uint8_t{value}); }
  void put(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  void put(double value) { number(std::bit_cast<std::uint64_t>(value)); }
  void put(Timestamp value) { put(std::int64_t{value.time_since_epoch().count()}); }
  void put(std::string_view value) { put(std::as_bytes(std::span(value))); }
  void put(std::span<const std::byte> value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }

  Bytes bytes_{};
};

class Reader {
 public:
  explicit Reader(std::string_view cursor) {
    std::string text(cursor);
    if (text.find_first_of("+/=") != std::string::npos) refuse();
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    auto bytes = detail::decode_base64(text);
    if (!bytes) refuse();
    bytes_ = std::move(*bytes);
  }

  template <class Number>
  Number number() {
    Number value = 0;
    for (const std::byte byte : take(sizeof value)) {
      value = static_cast<Number>(value << 8 | std::to_integer<Number>(byte));
    }
    return value;
  }
  Value value() {
    switch (static_cast<Tag>(number<std::uint8_t>())) {
      case Tag::null:
        return {};
      case Tag::boolean:
        return number<std::uint8_t>() != 0;
      case Tag::integer:
        return integer();
      case Tag::real:
        return std::bit_cast<double>(number<std::uint64_t>());
      case Tag::text: {
        const auto bytes = take(number<std::uint32_t>());
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      }
      case Tag::bytes: {
        const auto bytes = take(number<std::uint32_t>());
        return Bytes(bytes.begin(), bytes.end());
      }
      case Tag::timestamp:
        return Timestamp(std::chrono::microseconds(integer()));
    }
    refuse();
  }
  bool at_end() const { return position_ == bytes_.size(); }

 private:
  std::int64_t integer() { return static_cast<std::int64_t>(number<std::uint64_t>()); }
  std::span<const std::byte> take(std::size_t size) {
    if (size > bytes_.size() - position_) refuse();
    const auto taken = std::span(bytes_).subspan(position_, size);
    position_ += size;
    return taken;
  }

  Bytes bytes_{};
  std::size_t position_ = 0;
};

/// Whether the column can hold such a value: a changed cursor must not make a statement fail.
bool fits(const Value& value, const Field& field) {
  switch (static_cast<Tag>(value.index())) {
    case Tag::null:
      return field.type->nullable && !field.rules.primary_key;
    case Tag::boolean:
      return field.type->kind == Kind::boolean;
    case Tag::integer:
      return field.type->kind == Kind::integer || field.type->kind == Kind::duration;
    case Tag::real:
      return field.type->kind == Kind::real;
    case Tag::text:
      return field.type->kind == Kind::text;
    case Tag::bytes:
      return field.type->kind == Kind::bytes;
    case Tag::timestamp:
      return field.type->kind == Kind::timestamp;
  }
  return false;
}

}  // namespace

std::string write_cursor(const Query& query, const void* row) {
  Writer cursor;
  cursor.number(hash_of(query));
  for (const Order& order : query.order) {
    const Field& field = *query.table->object->find(order.column);
    cursor.cell(field.type->to_cell(field.of(row)));
  }
  return cursor.text();
}

void read_cursor(std::string_view cursor, Query& query) {
  Reader reader(cursor);
  if (reader.number<std::uint32_t>() != hash_of(query)) refuse();
  query.after.clear();
  for (const Order& order : query.order) {
    query.after.push_back(reader.value());
    if (!fits(query.after.back(), *query.table->object->find(order.column))) refuse();
  }
  if (!reader.at_end()) refuse();
}

}  // namespace aegis::db
