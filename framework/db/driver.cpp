#include "db/driver.h"

#include <fmt/format.h>

#include <utility>

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

/// The options of the replica, whose URL takes the place of the other one.
DatabaseOptions replica_options(DatabaseOptions options) {
  if (!is_postgres(scheme_of(options.url)) || !is_postgres(scheme_of(options.read_url))) {
    throw Error(
        Errc::invalid,
        "Only PostgreSQL has replicas: DATABASE_URL and DATABASE_READ_URL are both to begin "
        "with postgresql://, or DATABASE_READ_URL is to be left out.");
  }
  options.url = std::exchange(options.read_url, "");
  return options;
}

[[noreturn]] void throw_unknown_scheme(std::string_view url) {
  const std::string_view scheme = url.substr(0, url.find("://"));
  const bool is_url = scheme.size() < url.size() && scheme.find_first_of(" =") == scheme.npos;
  throw Error(
      Errc::invalid,
      fmt::format("The database URL {}; known are sqlite:///path/to/file, sqlite://:memory: "
                  "and postgresql://user:password@host:5432/database.",
                  is_url ? fmt::format("begins with \"{}\", for which there is no driver", scheme)
                         : "is none"));
}

Error no_copy() {
  return {Errc::invalid, "COPY is PostgreSQL's; with SQLite use insert_all() and stream()."};
}

}  // namespace

awaitable<bool> Link::insert_rows(const Table&, std::span<void* const>, bool) {
  co_return false;
}

awaitable<void> Link::copy_in(const std::string&, FunctionRef<awaitable<bool>(std::string&)>) {
  throw no_copy();
}

awaitable<void> Link::copy_out(const std::string&, FunctionRef<awaitable<void>(std::string_view)>) {
  throw no_copy();
}

awaitable<void> Link::notify(std::string_view, std::string_view) {
  throw Error(Errc::internal, "This database has no notifications of its own.");
}

void Driver::announce(const boost::asio::any_io_executor&, std::string_view channel,
                      std::string_view payload) {
  notifications()->deliver(channel, payload);
}

void check_options(const DatabaseOptions& options) {
  if (!options.read_url.empty()) postgres::read_config(replica_options(options));
  const auto scheme = scheme_of(options.url);
  if (scheme == "sqlite") {
    sqlite::read_config(options);
  } else if (is_postgres(scheme)) {
    postgres::read_config(options);
  } else {
    throw_unknown_scheme(options.url);
  }
}

std::unique_ptr<Driver> make_driver(Runtime& runtime, const DatabaseOptions& options) {
  const auto scheme = scheme_of(options.url);
  if (!options.read_url.empty()) replica_options(options);
  if (scheme == "sqlite") return sqlite::make_driver(runtime, options, sqlite::dialect());
  if (is_postgres(scheme)) return postgres::make_driver(runtime, options);
  throw_unknown_scheme(options.url);
}

}  // namespace aegis::db
