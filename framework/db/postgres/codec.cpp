#include "db/postgres/codec.h"

#include <fmt/format.h>

#include <bit>
#include <boost/endian/conversion.hpp>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "aegis/core/error.h"
#include "core/describe/utf8.h"

namespace aegis::db::postgres {
namespace {

namespace endian = boost::endian;

// The server's pg_type, whose numbers do not change.
enum Types : Oid {
  boolean = 16,
  bytea = 17,
  one_char = 18,
  name = 19,
  int8 = 20,
  int2 = 21,
  int4 = 23,
  regproc = 24,
  text = 25,
  oid = 26,
  xid = 28,
  json = 114,
  xml = 142,
  float4 = 700,
  float8 = 701,
  unknown = 705,
  bpchar = 1042,
  varchar = 1043,
  date = 1082,
  timestamp = 1114,
  timestamptz = 1184,
  numeric = 1700,
  regclass = 2205,
  regtype = 2206,
  nothing = 2278,  // void
  uuid = 2950,
  jsonb = 3802,
  first_of_users = 16384,
};

constexpr std::int64_t epoch = 946'684'800'000'000;  // 2000-01-01, in Unix microseconds
constexpr std::int64_t microseconds_a_day = 86'400'000'000;
constexpr std::int64_t earliest = -211'813'488'000'000'000;  // 4714-11-24 BC, from the epoch
constexpr std::int64_t end_of_time = 9'223'371'331'200'000'000;

template <class T>
T load(const char* data) {
  return endian::endian_load<T, sizeof(T), endian::order::big>(
      reinterpret_cast<const unsigned char*>(data));
}

std::string_view known_name(Oid type) {
  switch (type) {
    case 650:
      return "cidr";
    case 790:
      return "money";
    case 829:
      return "macaddr";
    case 869:
      return "inet";
    case 1000:
      return "boolean[]";
    case 1005:
      return "smallint[]";
    case 1007:
      return "integer[]";
    case 1009:
      return "text[]";
    case 1015:
      return "varchar[]";
    case 1016:
      return "bigint[]";
    case 1022:
      return "double precision[]";
    case 1083:
      return "time";
    case 1186:
      return "interval";
    case 1266:
      return "time with time zone";
    case 2249:
      return "record";
    case 3614:
      return "tsvector";
    default:
      return {};
  }
}

[[noreturn]] void refuse(std::string_view column, Oid type) {
  const std::string_view known = known_name(type);
  const std::string shown = known.empty() ? fmt::format("{}::regtype", type) : std::string(known);
  throw Error(Errc::internal,
              fmt::format("Column {} is of the type {}, which has no C++ type here; cast it in the "
                          "SQL, e.g. to text: {}::text AS {}.",
                          column, shown, column, column));
}

/// Whether a type that is not known is sent as text, as enums and citext are: others hold zero
/// bytes, begin with a version (ltree), or are no UTF-8.
bool is_text(std::string_view value) {
  constexpr std::string_view white_space = "\t\n\v\f\r";
  if (value.empty()) return true;
  const char first = value.front();
  const bool control = first >= 0 && first < ' ' && white_space.find(first) == value.npos;
  return !control && value.find('\0') == value.npos && aegis::detail::inspect_utf8(value).valid;
}

/// With their zeros at the end. Throws for values that are too large for the protocol.
std::size_t size_of_texts(std::span<const Cell> values) {
  constexpr std::size_t most = std::size_t{1} << 30;
  std::size_t size = 0;
  const auto check = [](std::size_t one) {
    if (one >= most) throw Error(Errc::too_large, "A value of 1 GiB or more cannot be stored.");
  };
  for (const Cell& cell : values) {
    if (const auto* text = std::get_if<std::string_view>(&cell)) {
      check(text->size());
      size += text->size() + 1;
    } else if (const auto* bytes = std::get_if<std::span<const std::byte>>(&cell)) {
      check(bytes->size());
    }
  }
  return size;
}

std::int64_t to_wire(Timestamp moment) {
  const std::int64_t unix_time = moment.time_since_epoch().count();
  if (unix_time < earliest + epoch ||
      unix_time >= std::numeric_limits<std::int64_t>::max() - epoch) {
    throw Error(Errc::invalid,
                "A time lies outside of what PostgreSQL can store, 4713 BC to 294276 AD.");
  }
  return unix_time - epoch;
}

}  // namespace

Oid type_of(const Cell& cell) {
  static constexpr std::array<Oid, 7> types{0, Types::boolean, Types::int8,       Types::float8,
                                            0, Types::bytea,   Types::timestamptz};
  static_assert(std::variant_size_v<Cell> == types.size());
  return types[cell.index()];
}

void Parameters::set(std::span<const Cell> values) {
  const std::size_t count = values.size();
  pointers_.resize(count);
  lengths_.resize(count);
  formats_.resize(count);
  numbers_.resize(count);
  texts_.clear();
  texts_.reserve(size_of_texts(values));  // pointers go into it
  for (std::size_t i = 0; i < count; ++i) {
    char* const number = numbers_[i].data();
    const auto set = [&](const char* data, std::size_t size, int format) {
      pointers_[i] = data;
      lengths_[i] = static_cast<int>(size);
      formats_[i] = format;
    };
    const auto set_number = [&](std::uint64_t bits) {
      endian::endian_store<std::uint64_t, 8, endian::order::big>(
          reinterpret_cast<unsigned char*>(number), bits);
      set(number, 8, 1);
    };
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            set(nullptr, 0, 0);
          } else if constexpr (std::is_same_v<T, bool>) {
            *number = value ? 1 : 0;
            set(number, 1, 1);
          } else if constexpr (std::is_same_v<T, std::int64_t>) {
            set_number(static_cast<std::uint64_t>(value));
          } else if constexpr (std::is_same_v<T, double>) {
            set_number(std::bit_cast<std::uint64_t>(value));
          } else if constexpr (std::is_same_v<T, Timestamp>) {
            set_number(static_cast<std::uint64_t>(to_wire(value)));
          } else if constexpr (std::is_same_v<T, std::string_view>) {
            if (value.find('\0') != value.npos) {
              throw Error(Errc::invalid,
                          fmt::format("The value of ${} has a zero byte (U+0000), which PostgreSQL "
                                      "cannot store in text.",
                                      i + 1));
            }
            set(texts_.data() + texts_.size(), value.size(), 0);
            texts_ += value;
            texts_ += '\0';  // where libpq ends it
          } else {
            const auto* data = reinterpret_cast<const char*>(value.data());
            set(data ? data : "", value.size(), 1);
          }
        },
        values[i]);
  }
}

void append_copy_text(std::string& text, const Cell& cell) {
  const auto out = std::back_inserter(text);
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          text += "\\N";
        } else if constexpr (std::is_same_v<T, bool>) {
          text += value ? 't' : 'f';
        } else if constexpr (std::is_arithmetic_v<T>) {
          fmt::format_to(out, "{}", value);
        } else if constexpr (std::is_same_v<T, Timestamp>) {
          to_wire(value);  // checks
          text += to_string(value);
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          for (const char c : value) {
            switch (c) {
              case '\0':
                throw Error(Errc::invalid,
                            "A text has a zero byte (U+0000), which PostgreSQL cannot store.");
              case '\\':
                text += "\\\\";
                break;
              case '\n':
                text += "\\n";
                break;
              case '\r':
                text += "\\r";
                break;
              case '\t':
                text += "\\t";
                break;
              default:
                text += c;
            }
          }
        } else {
          text += "\\\\x";
          for (const std::byte byte : value) fmt::format_to(out, "{:02x}", byte);
        }
      },
      cell);
}

/// How each type is read.
struct Decoder::Readers {
  static Cell of_bool(Decoder&, int, const char* data, std::size_t) { return *data != 0; }
  static Cell of_int2(Decoder&, int, const char* data, std::size_t) {
    return std::int64_t{load<std::int16_t>(data)};
  }
  static Cell of_int4(Decoder&, int, const char* data, std::size_t) {
    return std::int64_t{load<std::int32_t>(data)};
  }
  static Cell of_oid(Decoder&, int, const char* data, std::size_t) {
    return std::int64_t{load<std::uint32_t>(data)};
  }
  static Cell of_int8(Decoder&, int, const char* data, std::size_t) {
    return load<std::int64_t>(data);
  }
  static Cell of_float4(Decoder&, int, const char* data, std::size_t) {
    return double{std::bit_cast<float>(load<std::uint32_t>(data))};
  }
  static Cell of_float8(Decoder&, int, const char* data, std::size_t) {
    return std::bit_cast<double>(load<std::uint64_t>(data));
  }
  static Cell of_text(Decoder&, int, const char* data, std::size_t size) {
    return std::string_view(data, size);
  }
  static Cell of_bytes(Decoder&, int, const char* data, std::size_t size) {
    return std::span(reinterpret_cast<const std::byte*>(data), size);
  }
  static Cell of_nothing(Decoder&, int, const char*, std::size_t) { return std::monostate{}; }
  static Cell of_jsonb(Decoder&, int, const char* data, std::size_t size) {
    return std::string_view(data + 1, size - 1);  // behind its version
  }

  static Cell of_timestamp(Decoder& decoder, int column, const char* data, std::size_t) {
    const auto wire = load<std::int64_t>(data);
    return decoder.moment(column, wire);
  }
  static Cell of_date(Decoder& decoder, int column, const char* data, std::size_t) {
    const std::int64_t days = load<std::int32_t>(data);
    const bool infinite = days == std::numeric_limits<std::int32_t>::max() ||
                          days == std::numeric_limits<std::int32_t>::min();
    return decoder.moment(column, infinite || days > end_of_time / microseconds_a_day
                                      ? end_of_time
                                      : days * microseconds_a_day);
  }

  static Cell of_uuid(Decoder& decoder, int column, const char* data, std::size_t) {
    std::string& text = decoder.texts_[static_cast<std::size_t>(column)];
    text.clear();
    for (int i = 0; i < 16; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned char>(data[i]));
    }
    return std::string_view(text);
  }

  /// numeric: base 10000, the most significant digit first, its weight a power of 10000. An integer
  /// if it has no digits behind the point and fits; otherwise the nearest double.
  static Cell of_numeric(Decoder&, int, const char* data, std::size_t) {
    const int count = load<std::int16_t>(data);
    const int weight = load<std::int16_t>(data + 2);
    const auto sign = load<std::uint16_t>(data + 4);
    const int scale = load<std::int16_t>(data + 6);
    switch (sign) {
      case 0xC000:
        return std::numeric_limits<double>::quiet_NaN();
      case 0xD000:
        return std::numeric_limits<double>::infinity();
      case 0xF000:
        return -std::numeric_limits<double>::infinity();
      default:
        break;
    }
    std::string digits = sign == 0 ? "" : "-";
    for (int i = 0; i < count; ++i) {
      digits += fmt::format("{:04}", load<std::int16_t>(data + 8 + 2 * i));
    }
    if (count == 0) digits += '0';
    const int exponent = count == 0 ? 0 : 4 * (weight - count + 1);
    if (scale == 0 && exponent >= 0 && exponent <= 20) {
      std::string whole = digits + std::string(static_cast<std::size_t>(exponent), '0');
      errno = 0;
      char* end = nullptr;
      const long long value = std::strtoll(whole.c_str(), &end, 10);
      if (errno == 0) return std::int64_t{value};
    }
    return std::strtod(fmt::format("{}e{}", digits, exponent).c_str(), nullptr);
  }

  /// A user's own type.
  static Cell of_users(Decoder& decoder, int column, const char* data, std::size_t size) {
    if (is_text({data, size})) return std::string_view(data, size);
    refuse(decoder.names_[static_cast<std::size_t>(column)], PQftype(decoder.result_, column));
  }
  static Cell of_unknown(Decoder& decoder, int column, const char*, std::size_t) {
    refuse(decoder.names_[static_cast<std::size_t>(column)], PQftype(decoder.result_, column));
  }
};

Cell Decoder::moment(int column, std::int64_t wire) const {
  if (wire >= std::numeric_limits<std::int64_t>::max() - epoch ||
      wire == std::numeric_limits<std::int64_t>::min() || wire >= end_of_time) {
    throw Error(Errc::internal,
                fmt::format("Column {} holds a time that is infinite or too far away.",
                            names_[static_cast<std::size_t>(column)]));
  }
  return Timestamp(std::chrono::microseconds(wire + epoch));
}

Decoder::Read Decoder::reader_of(Oid type) {
  switch (type) {
    case Types::boolean:
      return Readers::of_bool;
    case Types::int2:
      return Readers::of_int2;
    case Types::int4:
      return Readers::of_int4;
    case Types::int8:
      return Readers::of_int8;
    case Types::oid:
    case Types::xid:
    case Types::regproc:
    case Types::regclass:
    case Types::regtype:
      return Readers::of_oid;
    case Types::float4:
      return Readers::of_float4;
    case Types::float8:
      return Readers::of_float8;
    case Types::one_char:
    case Types::name:
    case Types::text:
    case Types::json:
    case Types::xml:
    case Types::unknown:
    case Types::bpchar:
    case Types::varchar:
      return Readers::of_text;
    case Types::bytea:
      return Readers::of_bytes;
    case Types::jsonb:
      return Readers::of_jsonb;
    case Types::uuid:
      return Readers::of_uuid;
    case Types::date:
      return Readers::of_date;
    case Types::timestamp:
    case Types::timestamptz:
      return Readers::of_timestamp;
    case Types::numeric:
      return Readers::of_numeric;
    case Types::nothing:
      return Readers::of_nothing;
    default:
      return type >= Types::first_of_users ? Readers::of_users : Readers::of_unknown;
  }
}

void Decoder::read(const PGresult* result, RowSink& rows) {
  const int columns = PQnfields(result);
  const auto count = static_cast<std::size_t>(columns);
  result_ = result;
  readers_.resize(count);
  names_.resize(count);
  row_.resize(count);
  texts_.resize(std::max(texts_.size(), count));
  for (std::size_t i = 0; i < count; ++i) {
    readers_[i] = reader_of(PQftype(result, static_cast<int>(i)));
    names_[i] = PQfname(result, static_cast<int>(i));
  }
  rows.columns(names_);
  const int last = PQntuples(result);
  for (int row = 0; row < last; ++row) {
    for (int column = 0; column < columns; ++column) {
      const auto i = static_cast<std::size_t>(column);
      if (PQgetisnull(result, row, column)) {
        row_[i] = std::monostate{};
      } else {
        row_[i] = readers_[i](*this, column, PQgetvalue(result, row, column),
                              static_cast<std::size_t>(PQgetlength(result, row, column)));
      }
    }
    rows.row(row_);
  }
}

}  // namespace aegis::db::postgres
