#include "db/driver.h"

#include <fmt/format.h>

#include "aegis/core/error.h"
#include "aegis/core/runtime.h"
#include "db/postgres/config.h"
#include "db/postgres/driver.h"
#include "db/sqlite/config.h"
#include "db/sqlite/dialect.h"
#include "db/sqlite/driver.h"

namespace aegis::db {

namespace {

// No more of the URL is repeated: it can hold a password.
std::string_view scheme_of(std::string_view url) {
  const std::size_t colon = url.find(':');
  return colon == url.npos ? "" : url.substr(0, colon);
}

bool is_postgres(std::string_view scheme) {
  return scheme == "postgresql" || scheme == "postgres";
}

[[noreturn]] void throw_unknown_scheme(std::string_view scheme) {
  throw Error(Errc::invalid,
              fmt::format("The database URL begins with \"{}\", for which there is no driver; "
                          "known are sqlite:///path/to/file, sqlite://:memory: and "
                          "postgresql://user:password@host:5432/database.",
                          scheme));
}

}  // namespace

awaitable<bool> Link::insert_rows(const Table&, std::span<void* const>, bool) {
  co_return false;
}

awaitable<void> Link::notify(std::string_view, std::string_view) {
  throw Error(Errc::internal, "This database has no notifications of its own.");
}

void check_options(const DatabaseOptions& options) {
  const auto scheme = scheme_of(options.url);
  if (scheme == "sqlite") {
    sqlite::read_config(options);
  } else if (is_postgres(scheme)) {
    postgres::read_config(options);
  } else {
    throw_unknown_scheme(scheme);
  }
}

std::unique_ptr<Driver> make_driver(Runtime& runtime, const DatabaseOptions& options) {
  const auto scheme = scheme_of(options.url);
  if (scheme == "sqlite") return sqlite::make_driver(runtime, options, sqlite::dialect());
  if (is_postgres(scheme)) return postgres::make_driver(runtime, options);
  throw_unknown_scheme(scheme);
}

}  // namespace aegis::db
