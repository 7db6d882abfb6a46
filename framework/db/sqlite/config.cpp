#include "db/sqlite/config.h"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string_view>

#include "aegis/core/error.h"
#include "db/setting.h"

namespace aegis::db::sqlite {
namespace {

constexpr std::string_view scheme = "sqlite://";

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::string percent_decoded(std::string_view text, std::string_view url) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
      if (!high || !low) {
        throw Error(Errc::invalid,
                    fmt::format("The database URL {} has a % that two hexadecimal digits do not "
                                "follow; a percent sign itself is written %25.",
                                url));
      }
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    }
    if (c == '\0') {
      throw Error(Errc::invalid, fmt::format("The database URL {} holds a zero byte.", url));
    }
    result += c;
  }
  return result;
}

void read_url(Config& config) {
  const std::string_view url = config.url;
  if (!url.starts_with(scheme)) {
    throw Error(Errc::invalid,
                fmt::format("The database URL {} does not begin with sqlite://.", url));
  }
  std::string_view rest = url.substr(scheme.size());
  if (const auto extra = rest.find_first_of("?#"); extra != rest.npos) {
    throw Error(
        Errc::invalid,
        fmt::format("The database URL {} goes on after the path with \"{}\": settings belong "
                    "into the connect args, and a ? or # of the path is written %3F or %23.",
                    url, rest.substr(extra)));
  }
  if (rest.empty() || rest == ":memory:" || rest == "/:memory:") return;
  if (!rest.starts_with('/') || rest.size() == 1 || rest.ends_with('/')) {
    throw Error(Errc::invalid,
                fmt::format("The database URL {} names no file: write sqlite:///data/app.db for a "
                            "path below the working directory, sqlite:////var/lib/app.db for an "
                            "absolute one, or sqlite://:memory:.",
                            url));
  }
  const std::filesystem::path path = percent_decoded(rest.substr(1), url);
  config.make_folder = path.is_relative();
  config.file = std::filesystem::absolute(path).lexically_normal();
}

void read_setting(Config& config, std::string_view name, std::string_view text) {
  static constexpr std::string_view levels[] = {"OFF", "NORMAL", "FULL", "EXTRA"};
  static constexpr std::string_view journals[] = {"WAL", "DELETE", "TRUNCATE", "PERSIST"};
  const Setting setting(name, text);
  if (name == "foreign_keys") return setting.read(config.foreign_keys);
  if (name == "synchronous") return setting.read(config.synchronous, levels);
  if (name == "journal_mode") return setting.read(config.journal_mode, journals);
  if (name == "cache_size") return setting.read(config.cache_size, -16'777'216, 16'777'216);
  if (name == "mmap_size") return setting.read(config.mmap_size, 0, std::int64_t{1} << 40);
  if (name == "busy_timeout") return setting.read(config.busy_timeout, 0);
  if (name == "write_turn_timeout") return setting.read(config.write_turn_timeout, 1);
  if (name == "readers") return setting.read(config.readers, 1, 64);
  if (name == "inline_opcodes") {
    return setting.read(config.inline_opcodes, 0, std::numeric_limits<int>::max());
  }
  if (name == "statement_cache") return setting.read(config.statement_cache, 1, 100'000);
  throw Error(Errc::invalid,
              fmt::format("There is no SQLite setting {}; there are busy_timeout, cache_size, "
                          "foreign_keys, inline_opcodes, journal_mode, mmap_size, readers, "
                          "statement_cache, synchronous and write_turn_timeout.",
                          name));
}

}  // namespace

Config read_config(const DatabaseOptions& options) {
  Config config;
  config.url = options.url;
  read_url(config);
  for (const auto& [name, text] : options.connect_args) read_setting(config, name, text);
  config.echo = options.echo;
  config.slow_transaction = options.slow_transaction;
  config.rolled_back = options.rolled_back;
  return config;
}

}  // namespace aegis::db::sqlite
