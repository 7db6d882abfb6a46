#include "db/driver.h"

#include <fmt/format.h>

#include "aegis/core/error.h"
#include "db/sqlite/dialect.h"
#include "db/sqlite/driver.h"

namespace aegis::db {

std::unique_ptr<Driver> make_driver(Runtime&, const DatabaseOptions& options) {
  const std::string_view url = options.url;
  const std::string_view scheme =
      url.substr(0, url.find(':'));  // and no more: a URL can hold a password
  if (scheme == "sqlite") return sqlite::make_driver(options, sqlite::dialect());
  throw Error(
      Errc::invalid,
      fmt::format("The database URL begins with \"{}\", for which there is no driver; known "
                  "are sqlite:///path/to/file and sqlite://:memory:.",
                  scheme.size() == url.size() ? "" : scheme));
}

}  // namespace aegis::db
