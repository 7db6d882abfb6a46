#include <fmt/format.h>

#include "aegis/core/error.h"
#include "db/migrations/backend.h"
#include "db/migrations/folder.h"
#include "db/sql_scanner.h"
#include "db/sqlite/dialect.h"

namespace aegis::db {
namespace {

struct TableRow {
  std::string name{}, sql{};
  AEGIS_FIELDS(TableRow, (name), (sql))
};
struct ColumnRow {
  std::string table_name{}, name{}, type{};
  std::int64_t not_null{};
  std::optional<std::string> initial{};
  std::int64_t key{};
  AEGIS_FIELDS(ColumnRow, (table_name), (name), (type), (not_null), (initial), (key))
};
struct IndexRow {
  std::string table_name{}, name{}, origin{};
  std::optional<std::string> columns{}, sql{};
  AEGIS_FIELDS(IndexRow, (table_name), (name), (origin), (columns), (sql))
};
struct ReferenceRow {
  std::string table_name{}, columns{}, target{}, target_columns{}, on_delete{};
  AEGIS_FIELDS(ReferenceRow, (table_name), (columns), (target), (target_columns), (on_delete))
};
struct DependentRow {
  std::string name{}, table_name{};
  AEGIS_FIELDS(DependentRow, (name), (table_name))
};
struct Violation {
  std::string table_name{}, parent{};
  std::int64_t count{};
  AEGIS_FIELDS(Violation, (table_name), (parent), (count))
};

/// What SQLite keeps as text only: CHECK (…), AUTOINCREMENT, STRICT.
void read_definition(std::string_view sql, Catalogue::Table& table) {
  const auto is_sign = [](const SqlToken& token, std::string_view sign) {
    return token.kind == SqlToken::Kind::sign && token.text == sign;
  };
  SqlScanner tokens(sql);
  int depth = 0;
  for (auto token = tokens.next(); token.kind != SqlToken::Kind::end; token = tokens.next()) {
    if (token.is("AUTOINCREMENT") || (token.is("STRICT") && depth == 0)) {
      table.constraints.emplace(token.text, token.text);
    }
    depth += is_sign(token, "(") - is_sign(token, ")");
    if (!token.is("CHECK")) continue;
    const char* const begin = token.text.data();
    const int outside = depth;
    do {
      token = tokens.next();
      depth += is_sign(token, "(") - is_sign(token, ")");
    } while (depth > outside && token.kind != SqlToken::Kind::end);
    const char* const end = token.text.data() + token.text.size();
    const std::string check = normalised({begin, static_cast<std::size_t>(end - begin)});
    table.constraints.emplace(check, check);
  }
}

class SqliteBackend final : public MigrationBackend {
 public:
  const Dialect& dialect() const override { return sqlite::dialect(); }

  /// Foreign keys are off, since a table that is built anew is dropped for a moment, which would
  /// delete what refers to it.
  DatabaseOptions options(DatabaseOptions options) const override {
    options.connect_args["foreign_keys"] = "off";
    options.connect_args["busy_timeout"] = "86400000";
    options.connect_args["write_turn_timeout"] = "86400000";
    options.slow_transaction = std::chrono::hours(24);
    return options;
  }

  /// SQLite's own lock on the file, BEGIN IMMEDIATE, is held to the transaction's end.
  awaitable<void> lock(Session& session) const override {
    return run_in_transaction(session, "SELECT 1");
  }

  awaitable<void> leave_transaction(Session&) const override {
    throw Error(Errc::invalid, "\"-- no transaction\" is for PostgreSQL only");
  }
  awaitable<void> reenter_transaction(Session&) const override { co_return; }

  awaitable<void> check_references(Session& session) const override {
    const auto found = co_await session.query<Violation>(
        "SELECT \"table\" AS table_name, parent, count(*) AS count FROM pragma_foreign_key_check "
        "GROUP BY 1, 2");
    if (found.empty()) co_return;
    std::string text;
    for (const auto& violation : found) {
      text +=
          fmt::format("{}{} of {} refer to rows of {} that do not exist", text.empty() ? "" : "; ",
                      violation.count == 1 ? "a row" : fmt::format("{} rows", violation.count),
                      violation.table_name, violation.parent);
    }
    throw Error(Errc::conflict, text);
  }

  awaitable<std::map<std::string, std::string>> dependents(Session& session) const override {
    const auto rows = co_await session.query<DependentRow>(
        "SELECT name, tbl_name AS table_name FROM sqlite_schema "
        "WHERE type IN ('index', 'trigger') AND sql IS NOT NULL");
    std::map<std::string, std::string> found;
    for (const auto& row : rows) found[row.name] = row.table_name;
    co_return found;
  }

  awaitable<bool> has_table(Session& session, std::string_view table) const override {
    const auto found = co_await session.query<std::int64_t>(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1", table);
    co_return found.front() > 0;
  }

  awaitable<Catalogue> inspect(Session& session) const override {
    Catalogue catalogue;
    const auto tables = co_await session.query<TableRow>(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'");
    for (const auto& row : tables) read_definition(row.sql, catalogue.tables[row.name]);

    const auto columns = co_await session.query<ColumnRow>(
        "SELECT m.name AS table_name, c.name, c.type, c.\"notnull\" AS not_null, "
        "c.dflt_value AS initial, c.pk AS key FROM sqlite_schema AS m, pragma_table_info(m.name) "
        "AS c WHERE m.type = 'table' AND m.name NOT GLOB 'sqlite_*'");
    for (const auto& row : columns) {
      std::string text = row.type;
      if (row.not_null) text += " NOT NULL";
      if (row.initial) text += " DEFAULT " + *row.initial;
      if (row.key) text += " PRIMARY KEY";
      catalogue.tables[row.table_name].columns[row.name] = text;
    }

    const auto indexes = co_await session.query<IndexRow>(
        "SELECT m.name AS table_name, i.name, i.origin, s.sql, (SELECT group_concat(name, ', ') "
        "FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) AS columns "
        "FROM sqlite_schema AS m, pragma_index_list(m.name) AS i "
        "LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = i.name "
        "WHERE m.type = 'table' AND i.origin <> 'pk'");
    for (const auto& row : indexes) {
      auto& table = catalogue.tables[row.table_name];
      if (row.origin == "u") {
        const std::string text = "UNIQUE ( " + normalised(row.columns.value_or("")) + " )";
        table.constraints.emplace(text, text);
      } else {
        table.indexes[row.name] = normalised(row.sql.value_or(""));
      }
    }

    const auto references = co_await session.query<ReferenceRow>(
        "SELECT m.name AS table_name, f.\"table\" AS target, f.on_delete, "
        "group_concat(f.\"from\", ', ') AS columns, "
        "coalesce(group_concat(f.\"to\", ', '), '') AS target_columns "
        "FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS f "
        "WHERE m.type = 'table' GROUP BY m.name, f.id");
    for (const auto& row : references) {
      const std::string text =
          fmt::format("FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {}", row.columns, row.target,
                      row.target_columns, row.on_delete);
      catalogue.tables[row.table_name].constraints.emplace(text, text);
    }
    co_return catalogue;
  }

  awaitable<Catalogue> expect(Runtime& runtime, Database&, const Schema& schema) const override {
    Database scratch(runtime, options({.url = "sqlite://:memory:"}));
    Catalogue catalogue;
    auto body = [&](Session& s) -> awaitable<void> {
      for (const auto& table : schema.tables) {
        for (const auto& sql : dialect().create(table, false)) co_await run_in_transaction(s, sql);
      }
      catalogue = co_await inspect(s);
    };
    co_await scratch.run_session({}, body);
    co_await scratch.close();
    co_return catalogue;
  }
};

}  // namespace

const MigrationBackend& sqlite_backend() {
  static const SqliteBackend instance;
  return instance;
}

}  // namespace aegis::db
