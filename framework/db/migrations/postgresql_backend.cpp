#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>

#include "db/migrations/backend.h"
#include "db/postgres/dialect.h"

namespace aegis::db {
namespace {

/// An advisory lock's key: "aegis" as a number, so that other software does not use it by chance.
constexpr std::string_view try_lock_transaction =
    "SELECT pg_try_advisory_xact_lock(418246682995)::int";
constexpr std::string_view lock_transaction = "SELECT pg_advisory_xact_lock(418246682995)";
constexpr std::string_view lock_connection = "SELECT pg_advisory_lock(418246682995)";
constexpr std::string_view unlock_connection = "SELECT pg_advisory_unlock(418246682995)";
constexpr std::chrono::milliseconds lock_interval{100};

struct ColumnRow {
  std::string table_name{}, name{}, definition{};
  AEGIS_FIELDS(ColumnRow, (table_name), (name), (definition))
};

class PostgresqlBackend final : public MigrationBackend {
 public:
  const Dialect& dialect() const override { return postgres::dialect(); }

  DatabaseOptions options(DatabaseOptions options) const override {
    options.read_url.clear();
    options.connect_args["statement_timeout"] = "0";
    options.connect_args["pool_size"] = "1";
    options.connect_args["statement_cache"] = "0";
    options.slow_transaction = std::chrono::hours(24);
    return options;
  }

  /// Asks again and again: a statement that waits has a snapshot, and CREATE INDEX CONCURRENTLY of
  /// the one who has the lock waits for all of those.
  awaitable<void> lock(Session& session) const override {
    boost::asio::steady_timer pause(co_await boost::asio::this_coro::executor);
    while ((co_await session.query<int>(std::string(try_lock_transaction))).front() == 0) {
      co_await session.rollback();
      pause.expires_after(lock_interval);
      co_await pause.async_wait(boost::asio::use_awaitable);
    }
  }

  awaitable<void> leave_transaction(Session& session) const override {
    co_await run_in_transaction(session, lock_connection);
    co_await run_in_transaction(session, "COMMIT");
  }

  awaitable<void> reenter_transaction(Session& session) const override {
    co_await run_in_transaction(session, "BEGIN");
    co_await run_in_transaction(session, lock_transaction);
    co_await run_in_transaction(session, unlock_connection);
  }

  /// PostgreSQL enforces them at all times.
  awaitable<void> check_references(Session&) const override { co_return; }

  awaitable<std::map<std::string, std::string>> dependents(Session&) const override {
    co_return std::map<std::string, std::string>{};
  }

  awaitable<bool> has_table(Session& session, std::string_view table) const override {
    const auto found = co_await session.query<std::int64_t>(
        "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relname = $1 AND "
        "relnamespace = current_schema()::regnamespace",
        table);
    co_return found.front() > 0;
  }

  awaitable<Catalogue> inspect(Session& session) const override {
    return inspect(session, "current_schema()::regnamespace");
  }

  /// Temporary tables hide those of the same name, need no rights but TEMPORARY, and are gone with
  /// the transaction; so PostgreSQL itself says how it keeps what the models ask for.
  awaitable<Catalogue> expect(Runtime&, Database& database, const Schema& schema) const override {
    Catalogue catalogue;
    Session session = database.begin();
    for (const auto& table : schema.tables) {
      for (std::string sql : dialect().create(table, false)) {
        if (sql.starts_with("CREATE TABLE ")) sql.insert(7, "TEMPORARY ");
        co_await run_in_transaction(session, sql);
      }
    }
    if (!schema.tables.empty()) catalogue = co_await inspect(session, "pg_my_temp_schema()");
    co_await session.rollback();
    co_return catalogue;
  }

 private:
  static awaitable<Catalogue> inspect(Session& session, std::string_view schema) {
    Catalogue catalogue;
    const auto tables = co_await session.query<std::string>(fmt::format(
        "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = {}",
        schema));
    for (const auto& table : tables) catalogue.tables[table];

    const auto add = [&](auto Catalogue::Table::* to, const std::vector<ColumnRow>& rows) {
      for (const auto& row : rows)
        (catalogue.tables[row.table_name].*to)[row.name] = row.definition;
    };
    const auto columns = co_await session.query<ColumnRow>(fmt::format(
        "SELECT c.relname::text AS table_name, a.attname::text AS name, "
        "format_type(a.atttypid, a.atttypmod) || "
        "CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || "
        "CASE WHEN a.attidentity <> '' THEN ' IDENTITY' ELSE '' END || "
        "CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || "
        "quote_ident(l.collname) ELSE '' END || "
        "coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') AS definition "
        "FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 "
        "AND NOT a.attisdropped JOIN pg_type AS t ON t.oid = a.atttypid "
        "LEFT JOIN pg_collation AS l ON l.oid = a.attcollation "
        "LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum "
        "WHERE c.relkind IN ('r', 'p') AND c.relnamespace = {}",
        schema));
    add(&Catalogue::Table::columns, columns);

    const auto constraints = co_await session.query<ColumnRow>(
        fmt::format("SELECT c.relname::text AS table_name, "
                    "CASE k.contype WHEN 'p' THEN 'primary key' ELSE k.conname::text END AS name, "
                    "pg_get_constraintdef(k.oid) AS definition FROM pg_constraint AS k "
                    "JOIN pg_class AS c ON c.oid = k.conrelid "
                    "WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND c.relnamespace = {}",
                    schema));
    add(&Catalogue::Table::constraints, constraints);

    // From USING on: what comes before names the schema.
    const auto indexes = co_await session.query<ColumnRow>(fmt::format(
        "SELECT c.relname::text AS table_name, i.relname::text AS name, "
        "CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END || CASE WHEN x.indisvalid THEN '' "
        "ELSE 'INVALID ' END || substring(pg_get_indexdef(i.oid) from ' USING .*') AS definition "
        "FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid "
        "JOIN pg_class AS c ON c.oid = x.indrelid "
        "WHERE c.relnamespace = {} AND NOT EXISTS "
        "(SELECT 1 FROM pg_constraint WHERE conindid = i.oid AND contype IN ('p', 'u', 'x'))",
        schema));
    add(&Catalogue::Table::indexes, indexes);
    co_return catalogue;
  }
};

}  // namespace

const MigrationBackend& postgresql_backend() {
  static const PostgresqlBackend instance;
  return instance;
}

}  // namespace aegis::db
