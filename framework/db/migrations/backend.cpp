#include "db/migrations/backend.h"

#include "db/driver.h"
#include "db/row_reader.h"
#include "db/sqlite/config.h"

namespace aegis::db {
namespace {

bool is_sqlite(const DatabaseOptions& options) {
  return options.url.starts_with("sqlite:");
}

}  // namespace

const MigrationBackend& backend_of(Session& session) {
  return session.driver().dialect().id() == Dialect::Id::sqlite ? sqlite_backend()
                                                                : postgresql_backend();
}

bool is_in_memory(const DatabaseOptions& options) {
  return is_sqlite(options) && sqlite::read_config(options).in_memory();
}

DatabaseOptions migration_options(DatabaseOptions options) {
  return (is_sqlite(options) ? sqlite_backend() : postgresql_backend()).options(std::move(options));
}

awaitable<void> run_in_transaction(Session& session, std::string_view sql) {
  NoRows none;
  co_await session.run({sql, {}, true}, none);
}

}  // namespace aegis::db
