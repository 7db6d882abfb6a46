#pragma once

#include <string>

#include "aegis/core/json.h"

/// Structs that the tests of descriptions, JSON and validation share.
namespace sample {

using namespace std::chrono_literals;

/// One member of every scalar type, and an optional one of each.
struct Everything {
  bool boolean{};
  std::int16_t int16{};
  std::int32_t int32{};
  std::int64_t int64{};
  long long long_long{};
  std::uint16_t uint16{};
  std::uint32_t uint32{};
  double real{};
  std::string text{};
  aegis::Bytes bytes{};
  aegis::Timestamp timestamp{};
  std::chrono::milliseconds duration{};
  std::optional<bool> maybe_boolean{};
  std::optional<std::int16_t> maybe_int16{};
  std::optional<std::int32_t> maybe_int32{};
  std::optional<std::int64_t> maybe_int64{};
  std::optional<long long> maybe_long_long{};
  std::optional<std::uint16_t> maybe_uint16{};
  std::optional<std::uint32_t> maybe_uint32{};
  std::optional<double> maybe_real{};
  std::optional<std::string> maybe_text{};
  std::optional<aegis::Bytes> maybe_bytes{};
  std::optional<aegis::Timestamp> maybe_timestamp{};
  std::optional<std::chrono::milliseconds> maybe_duration{};

  AEGIS_FIELDS(Everything, (boolean), (int16), (int32), (int64), (long_long), (uint16), (uint32),
               (real), (text), (bytes), (timestamp), (duration), (maybe_boolean), (maybe_int16),
               (maybe_int32), (maybe_int64), (maybe_long_long), (maybe_uint16), (maybe_uint32),
               (maybe_real), (maybe_text), (maybe_bytes), (maybe_timestamp), (maybe_duration))
  bool operator==(const Everything&) const = default;
};

struct Shield {
  std::optional<std::int64_t> id{};
  std::string name{};
  int defense_rating = 10;
  std::string material = "iron";
  std::optional<std::string> enchantment{};

  AEGIS_FIELDS(Shield, (id), (name, min_length(1), max_length(80)),
               (defense_rating, ge(0), le(100)), (material, one_of("iron", "steel")), (enchantment))
  bool operator==(const Shield&) const = default;
};

struct Knight {
  std::string name{};
  Shield shield{};
  std::optional<Shield> spare{};
  std::vector<Shield> collection{};
  std::vector<std::int64_t> scores{};
  std::vector<std::optional<std::string>> titles{};
  std::optional<std::vector<std::string>> squires{};

  AEGIS_FIELDS(Knight, (name), (shield), (spare), (collection), (scores), (titles), (squires))
  bool operator==(const Knight&) const = default;
};

struct Bounds {
  double real = 0.5;
  double whole_limits = 1;
  std::chrono::milliseconds timeout = 10s;
  aegis::Bytes key{std::byte{1}, std::byte{2}};
  std::optional<int> rank{};
  bool agreed = false;

  AEGIS_FIELDS(Bounds, (real, ge(0.25), le(0.75)), (whole_limits, ge(0), le(2)),
               (timeout, ge(500), le(60'000)), (key, min_length(1), max_length(2)), (rank, ge(1)),
               (agreed, required))
};

struct Tree {
  std::vector<Tree> children{};

  AEGIS_FIELDS(Tree, (children))
  bool operator==(const Tree&) const = default;
};

struct Nothing {
  AEGIS_FIELDS(Nothing)
  bool operator==(const Nothing&) const = default;
};

/// What reading `json` into a T finds: "" or its complaints, one a line.
template <class T>
std::string problems(std::string_view json, T& object, aegis::JsonReading reading = {}) {
  const auto found = aegis::read_json(json, aegis::detail::type_of<T>(), &object, reading);
  std::string lines = found.syntax;
  for (const auto& field : found.fields) {
    lines += (lines.empty() ? "" : "\n") + field.pointer + " " + field.message;
  }
  return lines;
}

template <class T>
std::string problems(std::string_view json) {
  T object{};
  return problems(json, object);
}

}  // namespace sample
