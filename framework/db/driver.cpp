#include "db/driver.h"

#include <fmt/format.h>

#include "aegis/core/error.h"
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

[[noreturn]] void throw_unknown_scheme(std::string_view scheme) {
  throw Error(Errc::invalid,
              fmt::format("The database URL begins with \"{}\", for which there is no driver; "
                          "known are sqlite:///path/to/file and sqlite://:memory:.",
                          scheme));
}

}  // namespace

void check_options(const DatabaseOptions& options) {
  const auto scheme = scheme_of(options.url);
  if (scheme != "sqlite") throw_unknown_scheme(scheme);
  sqlite::read_config(options);
}

std::unique_ptr<Driver> make_driver(Runtime&, const DatabaseOptions& options) {
  const auto scheme = scheme_of(options.url);
  if (scheme != "sqlite") throw_unknown_scheme(scheme);
  return sqlite::make_driver(options, sqlite::dialect());
}

}  // namespace aegis::db
