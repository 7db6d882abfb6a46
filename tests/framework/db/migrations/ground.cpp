#include "ground.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "db/migrations/backend.h"
#include "db/sql_text.h"
#include "support/postgres_server.h"

namespace fs = std::filesystem;
using aegis::db::Migrator;

std::vector<std::string> migration_databases() {
  return {"sqlite", "postgresql"};
}

Schema guild_schema() {
  return aegis::db::schema_of({&table_of<Member>(), &table_of<Guild>(), &table_of<Shield>()});
}

TableSchema& table(Schema& schema, std::string_view name) {
  return *std::ranges::find(schema.tables, name, &TableSchema::name);
}

ColumnSchema& column(Schema& schema, std::string_view in, std::string_view name) {
  return *std::ranges::find(table(schema, in).columns, name, &ColumnSchema::name);
}

void drop_column(Schema& schema, std::string_view in, std::string_view name) {
  std::erase_if(table(schema, in).columns, [&](const auto& c) { return c.name == name; });
  std::erase_if(table(schema, in).indexes,
                [&](const auto& i) { return i.columns == std::vector{std::string(name)}; });
}

Ground::Ground(const std::string& kind) : dialect_(kind) {
  url_ = "sqlite:///" + path().string() + "/test.db";
  if (kind == "postgresql") {
    server_database_ = PostgresServer::shared().create_database();
    url_ = PostgresServer::shared().url(server_database_);
  }
  const aegis::DatabaseOptions options{.url = url_};
  database_ = std::make_unique<Database>(runtime_, options);
  migrating_ = std::make_unique<Database>(runtime_, aegis::db::migration_options(options));
}

Ground::~Ground() {
  wait(migrating_->close());
  wait(database_->close());
  migrating_.reset();
  database_.reset();
  if (!server_database_.empty()) PostgresServer::shared().drop_database(server_database_);
}

std::vector<std::string> Ground::revise(const std::string& message, const Intent& intent,
                                        bool allow_destructive) {
  const auto written = aegis::db::write_revision(
      folder(), models,
      {.message = message, .intent = intent, .allow_destructive = allow_destructive});
  return written ? written->summary : std::vector<std::string>{};
}

void Ground::write_sql(const std::string& message, const std::string& up, const std::string& down) {
  const auto written =
      aegis::db::write_revision(folder(), models, {.message = message, .empty = true});
  for (const auto& file : written->files) {
    if (!file.ends_with(".sql")) continue;
    std::ofstream(file) << "-- up\n" << up << "\n-- down\n" << down << "\n";
  }
}

void Ground::upgrade(std::optional<std::int64_t> to) {
  const auto files = folder();
  Migrator migrator(runtime_, *migrating_, files);
  wait(migrator.upgrade(to, [&](const std::string& line) { said.push_back(line); }));
}

void Ground::downgrade(std::int64_t to, bool allow_destructive) {
  const auto files = folder();
  Migrator migrator(runtime_, *migrating_, files);
  wait(migrator.downgrade(to, allow_destructive,
                          [&](const std::string& line) { said.push_back(line); }));
}

std::vector<std::string> Ground::drift() {
  const auto files = folder();
  Migrator migrator(runtime_, *migrating_, files);
  std::vector<std::string> found;
  auto task = [&]() -> awaitable<void> { found = co_await migrator.drift(); };
  wait(task());
  return found;
}

std::vector<std::string> Ground::difference_from(const Schema& schema) {
  aegis::db::Catalogue expected, actual;
  const aegis::db::MigrationBackend* backend = nullptr;
  auto look = [&](Session& session) -> awaitable<void> {
    backend = &aegis::db::backend_of(session);
    actual = co_await backend->inspect(session);
  };
  wait(database_->run_session({.read_only = true}, look));
  auto task = [&]() -> awaitable<void> {
    expected = co_await backend->expect(runtime_, *database_, schema);
  };
  wait(task());
  const auto nothing = [](const std::string&) { return false; };
  return aegis::db::differences(expected, actual, nothing);
}

aegis::db::MigrationState Ground::state() {
  const auto files = folder();
  aegis::db::MigrationState found;
  auto task = [&]() -> awaitable<void> {
    found = co_await aegis::db::migration_state(*database_, files);
  };
  wait(task());
  return found;
}

void Ground::run_sql(const std::string& sql) {
  auto body = [&](Session& session) -> awaitable<void> {
    for (const auto statement : aegis::db::split_statements(sql)) {
      co_await aegis::db::run_in_transaction(session, statement);
    }
  };
  wait(database_->run_session({}, body));
}

std::string Ground::value(const std::string& sql) {
  std::string text;
  auto body = [&](Session& session) -> awaitable<void> {
    const auto rows = co_await session.query<std::optional<std::string>>(sql);
    if (!rows.empty()) text = rows.front().value_or("NULL");
  };
  wait(database_->run_session({.read_only = true}, body));
  return text;
}

void Ground::insert_rows() {
  run_sql(R"(
    INSERT INTO guild (name) VALUES ('Smiths');
    INSERT INTO shield (name, defense_rating, material, enchantment) VALUES
      ('Aegis', 95, 'gold', 'fire'), ('Buckler', 5, 'wood', NULL), ('Lost', 1, 'iron', NULL);
    DELETE FROM shield WHERE name = 'Lost';
    INSERT INTO member (guild_id, shield_id, rank) VALUES (1, 1, 'first'), (1, NULL, 'second');
  )");
}

void Ground::check_rows() {
  BOOST_TEST(value("SELECT CAST(count(*) AS TEXT) FROM guild") == "1");
  BOOST_TEST(value("SELECT CAST(count(*) AS TEXT) FROM shield") == "2");
  BOOST_TEST(value("SELECT name FROM shield WHERE id = 1") == "Aegis");
  BOOST_TEST(value("SELECT CAST(count(*) AS TEXT) FROM member WHERE guild_id = 1") == "2");
  BOOST_TEST(value("SELECT CAST(shield_id AS TEXT) FROM member WHERE rank = 'first'") == "1");
}

boost::test_tools::predicate_result has(const std::string& text, std::string_view part) {
  if (text.find(part) != text.npos) return true;
  boost::test_tools::predicate_result no(false);
  no.message() << "\n\"" << text << "\"\nhas no\n\"" << part << '"';
  return no;
}

std::string lines(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& line : all) text += line + '\n';
  return text;
}
