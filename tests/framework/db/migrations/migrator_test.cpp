// Applying, taking back, refusing.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fstream>

#include "db/migrations/backend.h"
#include "ground.h"

#define ON_EACH_DATABASE(name) \
  BOOST_DATA_TEST_CASE(name, boost::unit_test::data::make(migration_databases()), kind)

namespace {

void append(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file, std::ios::app) << text;
}

std::string titles(const std::vector<aegis::db::Revision>& revisions) {
  std::string text;
  for (const auto& revision : revisions) text += revision.title() + ' ';
  return text;
}

}  // namespace

ON_EACH_DATABASE(upgrading_from_empty_makes_what_the_models_ask_for) {
  Ground ground(kind);
  ground.models = aegis::db::schema_of(all_tables());
  ground.revise("Create everything!");
  BOOST_TEST(titles(ground.state().pending) == "0001_create_everything ");
  ground.upgrade();
  BOOST_TEST(lines(ground.difference_from(ground.models)) == "");
  BOOST_TEST(lines(ground.drift()) == "");
  BOOST_TEST(ground.said.size() == 1U);
  BOOST_TEST(ground.said.front().starts_with("0001_create_everything applied in "));

  const auto state = ground.state();
  BOOST_TEST(state.pending.empty());
  BOOST_TEST(state.problems.empty());
  BOOST_REQUIRE(state.applied.size() == 1U);
  BOOST_TEST(state.applied[0].name == "create_everything");
  BOOST_TEST(state.applied[0].checksum.size() == 36U);
  BOOST_TEST(!state.applied[0].framework_version.empty());

  ground.upgrade();
  BOOST_TEST(ground.said.size() == 1U);
  BOOST_TEST(ground.revise("again").empty());
}

ON_EACH_DATABASE(one_at_a_time_there_and_back) {
  Ground ground(kind);
  ground.revise("one");
  ground.write_sql("two", "UPDATE shield SET material = 'two';",
                   "UPDATE shield SET material = 'one';");
  ground.write_sql("three", "UPDATE shield SET material = 'three';", "");
  ground.upgrade(1);
  ground.insert_rows();
  BOOST_TEST(ground.state().current() == 1);
  ground.upgrade(2);
  BOOST_TEST(ground.value("SELECT material FROM shield WHERE id = 1") == "two");
  ground.upgrade();
  BOOST_TEST(ground.state().current() == 3);
  BOOST_TEST(has(refusal([&] { ground.upgrade(1); }),
                 "The database is at 0003_three already; `db downgrade --to 1` goes back."));
  ground.downgrade(1);
  BOOST_TEST(ground.value("SELECT material FROM shield WHERE id = 1") == "one");
  BOOST_TEST(titles(ground.state().pending) == "0002_two 0003_three ");
  BOOST_TEST(has(refusal([&] { ground.downgrade(2); }),
                 "The database is at 0001_one only; `db upgrade --to 2` goes there."));
  ground.downgrade(0, true);
  BOOST_TEST(lines(ground.difference_from({})) == "");
}

ON_EACH_DATABASE(nothing_is_destroyed_without_being_asked_for) {
  Ground ground(kind);
  ground.revise("begin");
  ground.upgrade();
  ground.insert_rows();
  const auto refused = refusal([&] { ground.downgrade(0); });
  BOOST_TEST(has(refused, "Taking back 0001_begin would lose data:\n  drops table member\n"));
  BOOST_TEST(has(refused, "--allow-destructive"));
  ground.check_rows();

  drop_column(ground.models, "shield", "enchantment");
  auto& strength = table(ground.models, "shield").columns.emplace_back();
  strength.name = "spell";
  strength.type = "text";
  strength.nullable = true;
  std::erase_if(ground.models.tables, [](auto& t) { return t.name == "member"; });
  column(ground.models, "shield", "defense_rating").type = "boolean";
  const auto unwritten = refusal([&] { ground.revise("destroy"); });
  BOOST_TEST(has(unwritten, "would lose data:\n"));
  BOOST_TEST(has(unwritten, "  drops column shield.enchantment\n"));
  BOOST_TEST(has(unwritten, "  drops table member\n"));
  BOOST_TEST(has(unwritten, "  changes column shield.defense_rating from integer to boolean\n"));
  BOOST_TEST(has(unwritten, "  --rename shield.enchantment:spell\n"));
  BOOST_TEST(has(unwritten, "--allow-destructive"));
  BOOST_TEST(ground.folder().head() == 1);
}

BOOST_AUTO_TEST_CASE(what_no_sql_can_do_by_itself) {
  Ground ground("sqlite");
  ground.revise("begin");
  auto& weight = table(ground.models, "shield").columns.emplace_back();
  weight.name = "weight";
  weight.type = "integer";
  BOOST_TEST(has(refusal([&] { ground.revise("weigh"); }),
                 "shield.weight is new, cannot be NULL and has no default: say what existing rows "
                 "get, --fill shield.weight=VALUE; or give the member a default, or make it a "
                 "std::optional"));
  BOOST_TEST(has(refusal([&] { ground.revise("weigh", {.fills = {{"shield.weight", "heavy"}}}); }),
                 "The value \"heavy\" for the column weight must be an integer"));
  BOOST_TEST(has(refusal([&] { ground.revise("weigh", {.fills = {{"shield.height", "1"}}}); }),
                 "--fill shield.height=1: there is no such column"));
  BOOST_TEST(has(
      refusal([&] { ground.revise("weigh", {.renamed_columns = {{"shield.weight", "mass"}}}); }),
      "--rename shield.mass:weight: mass must be a column that the model no longer has, "
      "and weight a new one"));

  ground.models = guild_schema();
  column(ground.models, "shield", "defense_rating").type = "timestamp";
  BOOST_TEST(has(refusal([&] { ground.revise("time", {}, true); }),
                 "shield.defense_rating: there is no conversion from integer to timestamp"));
  ground.models = guild_schema();
  column(ground.models, "guild", "id").generated = false;
  BOOST_TEST(
      has(refusal([&] { ground.revise("key", {}, true); }), "guild.id: the primary key changes"));
  BOOST_TEST(has(refusal([&] { ground.revise(" ! "); }), "Say in a few words"));
  BOOST_TEST(ground.folder().head() == 1);
}

ON_EACH_DATABASE(a_file_that_was_edited_after_it_was_applied_is_told) {
  Ground ground(kind);
  ground.revise("begin");
  ground.upgrade();
  const auto file = ground.migrations() / "0001_begin" / (kind + ".sql");
  append(file, "\n-- later\n");
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }),
                 "/0001_begin/" + kind + ".sql was edited after it was applied at "));
  BOOST_TEST(ground.state().problems.size() == 1U);
}

ON_EACH_DATABASE(other_ends_of_lines_are_no_edit) {
  Ground ground(kind);
  ground.revise("begin");
  ground.upgrade();
  const auto file = ground.migrations() / "0001_begin" / (kind + ".sql");
  std::string text;
  for (const char c : aegis::db::read_file(file)) text += c == '\n' ? "\r\n" : std::string(1, c);
  std::ofstream(file, std::ios::binary) << text;
  ground.upgrade();
  BOOST_TEST(ground.state().problems.empty());
}

ON_EACH_DATABASE(a_newer_database_is_refused_when_that_breaks_older_programs) {
  Ground ground(kind);
  ground.revise("begin");
  ground.write_sql("later", "-- breaking: shields are weighed", "");
  ground.upgrade();
  std::filesystem::remove_all(ground.migrations() / "0002_later");
  const std::string expected =
      "the database is newer than this program: it has 0002_later, and the newest migration in " +
      ground.migrations().string() + " is 0001_begin";
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }), expected));
  BOOST_TEST(has(refusal([&] { ground.downgrade(0, true); }), expected));
  BOOST_TEST(ground.state().newer);
}

ON_EACH_DATABASE(a_newer_database_that_only_has_more_is_left_alone) {
  Ground ground(kind);
  ground.revise("begin");
  auto& weight = table(ground.models, "shield").columns.emplace_back();
  weight.name = "weight";
  weight.type = "integer";
  weight.nullable = true;
  ground.revise("weigh");
  ground.upgrade();
  std::filesystem::remove_all(ground.migrations() / "0002_weigh");
  ground.said.clear();
  ground.upgrade();
  const std::string expected = "the database is newer than this program: it has 0002_weigh";
  BOOST_TEST(ground.said.size() == 1U);
  BOOST_TEST(has(ground.said.front(), expected));
  const auto state = ground.state();
  BOOST_TEST(state.newer);
  BOOST_TEST(state.problems.empty());
  BOOST_TEST(has(state.note, expected));
  BOOST_TEST(has(refusal([&] { ground.downgrade(1); }), "of the release that brought it"));
}

ON_EACH_DATABASE(a_database_that_does_not_tell_what_breaks_is_refused_when_newer) {
  Ground ground(kind);
  ground.revise("begin");
  ground.write_sql("later", "", "");
  ground.upgrade();
  ground.run_sql("DROP TABLE aegis_breaking_migrations");
  std::filesystem::remove_all(ground.migrations() / "0002_later");
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }), "newer than this program"));
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }), "newer than this program"));
}

ON_EACH_DATABASE(what_breaks_is_known_of_tables_that_were_there_before) {
  Ground ground(kind);
  ground.revise("begin");
  ground.write_sql("later", "-- breaking: shields are weighed", "");
  ground.upgrade();
  ground.run_sql("DROP TABLE aegis_migrations; DROP TABLE aegis_breaking_migrations");
  ground.upgrade();
  std::filesystem::remove_all(ground.migrations() / "0002_later");
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }), "newer than this program"));
}

ON_EACH_DATABASE(a_program_that_knows_nothing_of_what_breaks_may_take_it_back) {
  Ground ground(kind);
  ground.revise("begin");
  ground.write_sql("later", "-- breaking: shields are weighed", "");
  ground.upgrade();
  ground.run_sql("DELETE FROM aegis_migrations WHERE number = 2");
  ground.upgrade();
  BOOST_TEST(ground.state().problems.empty());
}

ON_EACH_DATABASE(what_is_taken_back_breaks_nothing_any_more) {
  Ground ground(kind);
  ground.revise("begin");
  ground.write_sql("later", "-- breaking: shields are weighed", "");
  ground.upgrade();
  ground.downgrade(1);
  ground.write_sql("other", "", "");
  std::filesystem::remove_all(ground.migrations() / "0002_later");
  std::filesystem::rename(ground.migrations() / "0003_other", ground.migrations() / "0002_other");
  ground.upgrade();
  std::filesystem::remove_all(ground.migrations() / "0002_other");
  BOOST_TEST(ground.state().problems.empty());
}

BOOST_AUTO_TEST_CASE(a_migration_says_what_breaks_older_programs) {
  Ground ground("sqlite");
  ground.revise("begin");
  auto& weight = table(ground.models, "shield").columns.emplace_back();
  weight.name = "weight";
  weight.type = "integer";
  column(ground.models, "shield", "enchantment").name = "spell";
  ground.revise("weigh", {.renamed_columns = {{"shield.spell", "enchantment"}},
                          .fills = {{"shield.weight", "1"}}});
  const auto files = ground.folder();
  const auto script = files.script(files.revisions().back(), "sqlite");
  BOOST_TEST(lines(script.up.breaks) ==
             "shield.enchantment becomes spell\nshield.weight must be given\n");
  BOOST_TEST(script.up.losses.empty());
}

BOOST_AUTO_TEST_CASE(what_older_programs_cannot_read_or_write_breaks_them) {
  const auto breaks_of = [](const std::function<void(ColumnSchema&)>& change) {
    Ground ground("sqlite");
    auto& before = column(ground.models, "shield", "material");
    before.max_length = 80;
    before.one_of = {"iron", "wood"};
    ground.revise("begin");
    change(column(ground.models, "shield", "material"));
    ground.revise("change");
    const auto files = ground.folder();
    return lines(files.script(files.revisions().back(), "sqlite").up.breaks);
  };
  using Column = ColumnSchema;
  BOOST_TEST(breaks_of([](Column& it) { it.nullable = true; }) == "shield.material may be NULL\n");
  BOOST_TEST(breaks_of([](Column& it) { it.max_length = 70; }) ==
             "shield.material has a narrower limit\n");
  BOOST_TEST(breaks_of([](Column& it) { it.min_length = 1; }) ==
             "shield.material has a narrower limit\n");
  BOOST_TEST(breaks_of([](Column& it) { it.one_of.emplace_back("bronze"); }) ==
             "shield.material has other choices\n");
  BOOST_TEST(breaks_of([](Column& it) { it.unique = true; }) == "shield.material must be unique\n");
  BOOST_TEST(breaks_of([](Column& it) { it.max_length = 90; }) == "");
  BOOST_TEST(breaks_of([](Column& it) { it.default_value = "wood"; }) == "");
}

BOOST_AUTO_TEST_CASE(a_column_that_is_required_now_breaks_older_programs) {
  Ground ground("sqlite");
  column(ground.models, "shield", "enchantment").nullable = true;
  ground.revise("begin");
  column(ground.models, "shield", "enchantment").nullable = false;
  column(ground.models, "shield", "enchantment").default_value = "none";  // they give NULL
  table(ground.models, "shield").uniques.push_back({"shield_once", {"name", "material"}});
  ground.revise("require");
  const auto files = ground.folder();
  BOOST_TEST(lines(files.script(files.revisions().back(), "sqlite").up.breaks) ==
             "shield.enchantment must be given\nshield (name, material) must be unique\n");
}

BOOST_AUTO_TEST_CASE(what_breaks_need_not_be_written_to_the_letter) {
  Ground ground("sqlite");
  ground.revise("begin");
  ground.write_sql("later",
                   "--Breaking : weight\n  -- breaking\n-- breaking:\n-- breaking up is hard",
                   "-- DESTRUCTIVE: all");
  const auto files = ground.folder();
  const auto script = files.script(files.revisions().back(), "sqlite");
  BOOST_TEST(lines(script.up.breaks) == "weight\nno reason is given\nno reason is given\n");
  BOOST_TEST(lines(script.down.losses) == "all\n");
}

ON_EACH_DATABASE(merged_branches_are_told_what_to_do) {
  namespace fs = std::filesystem;
  Ground ground(kind);
  ground.revise("begin");
  ground.write_sql("mine", "", "");
  fs::copy(ground.migrations() / "0002_mine", ground.migrations() / "0002_theirs");
  const auto twice = refusal([&] { ground.upgrade(); });
  BOOST_TEST(has(twice, "two migrations with one number, 0002_mine and 0002_theirs"));
  BOOST_TEST(has(twice, "0002_theirs " + ground.migrations().string() + "/0003_theirs"));

  fs::rename(ground.migrations() / "0002_theirs", ground.migrations() / "0003_theirs");
  fs::rename(ground.migrations() / "0002_mine", ground.path() / "away");
  ground.upgrade();
  fs::rename(ground.path() / "away", ground.migrations() / "0002_mine");
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }),
                 "0002_mine is not applied, but 0003_theirs after it is"));

  fs::create_directory(ground.migrations() / "notes");
  BOOST_TEST(has(refusal([&] { ground.folder(); }), "notes is no migration"));
}

ON_EACH_DATABASE(a_migration_that_fails_leaves_nothing_behind) {
  Ground ground(kind);
  ground.revise("begin");
  ground.write_sql("good", "UPDATE shield SET material = 'good';", "");
  ground.write_sql("bad",
                   "CREATE TABLE half (id INTEGER PRIMARY KEY);\n"
                   "INSERT INTO half (id) VALUES (1);\n"
                   "INSERT INTO half (id) VALUES (1);",
                   "");
  ground.upgrade(1);
  ground.insert_rows();
  const auto failure = refusal([&] { ground.upgrade(); });
  BOOST_TEST(has(failure,
                 "0003_bad failed, and nothing of it is left in the database. Statement 3 "
                 "of 3: "));
  BOOST_TEST(has(failure, "half.id: this value is already taken"));
  BOOST_TEST(has(failure, "\n  INSERT INTO half (id) VALUES (1)"));
  BOOST_TEST(ground.state().current() == 2);
  BOOST_TEST(ground.value("SELECT material FROM shield WHERE id = 1") == "good");
  BOOST_TEST(lines(ground.drift()) == "");
}

ON_EACH_DATABASE(rows_that_refer_to_nothing_fail_a_migration) {
  Ground ground(kind);
  ground.revise("begin");
  ground.upgrade();
  ground.insert_rows();
  ground.write_sql("melt", "DELETE FROM guild;", "");
  if (kind == "sqlite") {
    BOOST_TEST(has(refusal([&] { ground.upgrade(); }),
                   "0002_melt failed, and nothing of it is left in the database: after it, 2 rows "
                   "of member refer to rows of guild that do not exist"));
    ground.check_rows();
  } else {
    ground.upgrade();  // PostgreSQL does as the references say: on delete cascade
    BOOST_TEST(ground.value("SELECT CAST(count(*) AS TEXT) FROM member") == "0");
  }
}

ON_EACH_DATABASE(transactions_are_the_migrators) {
  Ground ground(kind);
  ground.write_sql("sneaky", "CREATE TABLE a (id INTEGER);\nCOMMIT;", "");
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }),
                 "Statement 2 of 2: Transactions are the "
                 "session's"));
  BOOST_TEST(ground.state().current() == 0);
}

ON_EACH_DATABASE(tables_of_a_database_without_a_record_are_adopted_when_they_are_right) {
  Ground ground(kind);
  ground.revise("begin");
  ground.write_sql("seed", "INSERT INTO guild (name) VALUES ('Seed');", "");
  ground.upgrade(1);
  ground.insert_rows();
  ground.run_sql("DROP TABLE aegis_migrations");
  ground.said.clear();
  ground.upgrade();
  BOOST_TEST(lines(ground.said) ==
             "the tables are there already, as 0002_seed leaves them: recorded\n");
  BOOST_TEST(ground.state().current() == 2);
  ground.check_rows();

  ground.run_sql(
      "DROP TABLE aegis_migrations; DROP INDEX shield_material_idx;"
      "ALTER TABLE shield ADD COLUMN colour TEXT;");
  const auto refused = refusal([&] { ground.upgrade(); });
  BOOST_TEST(has(refused, "no record of migrations, and is not as 0002_seed leaves it:\n"));
  BOOST_TEST(has(refused, "  shield: index shield_material_idx is missing\n"));
  BOOST_TEST(has(refused, "  shield.colour is in no migration\n"));
}

ON_EACH_DATABASE(drift_is_told_a_line_each) {
  Ground ground(kind);
  ground.revise("begin");
  ground.write_sql("by_hand",
                   "CREATE INDEX shield_first_idx ON shield (name) WHERE name > 'A';\n"
                   "CREATE TABLE notes (text TEXT);",
                   "DROP INDEX shield_first_idx;");
  ground.upgrade();
  BOOST_TEST(lines(ground.drift()) == "");  // what a migration makes is no drift

  ground.run_sql(
      "DROP INDEX shield_material_idx; ALTER TABLE shield ADD COLUMN colour TEXT;"
      "CREATE INDEX quick ON guild (name); CREATE TABLE stray (id INTEGER);"
      "DROP TABLE member;");
  BOOST_TEST(lines(ground.drift()) ==
             "guild: index quick is in no migration\n"
             "table member is missing\n"
             "shield.colour is in no migration\n"
             "shield: index shield_material_idx is missing\n"
             "table stray is in no migration\n");
}

ON_EACH_DATABASE(rules_that_were_changed_by_hand_are_drift) {
  Ground ground(kind);
  ground.revise("begin");
  ground.upgrade();
  if (kind == "sqlite") {
    ground.run_sql(
        "DROP TABLE member; DROP TABLE guild;"
        "CREATE TABLE guild (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);"
        "DROP INDEX shield_material_idx; DROP TABLE shield;"
        "CREATE TABLE shield (id INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 90),"
        "  defense_rating INTEGER NOT NULL DEFAULT 11 CHECK (defense_rating BETWEEN 0 "
        "AND 100), material TEXT NOT NULL DEFAULT 'iron', enchantment TEXT) STRICT;"
        "CREATE INDEX shield_material_idx ON shield (material);");
    BOOST_TEST(lines(ground.drift()) ==
               "guild.name is TEXT, should be TEXT NOT NULL\n"
               "guild: STRICT is missing\n"
               "guild: UNIQUE ( name ) is missing\n"
               "table member is missing\n"
               "shield.defense_rating is INTEGER NOT NULL DEFAULT 11, should be INTEGER NOT NULL "
               "DEFAULT 10\n"
               "shield: CHECK ( length ( name ) BETWEEN 1 AND 80 ) is missing\n"
               "shield: CHECK ( length ( name ) BETWEEN 1 AND 90 ) is in no migration\n");
  } else {
    ground.run_sql(
        "ALTER TABLE guild ALTER COLUMN name DROP NOT NULL;"
        "ALTER TABLE guild DROP CONSTRAINT guild_name_key;"
        "ALTER TABLE shield ALTER COLUMN defense_rating SET DEFAULT 11;"
        "ALTER TABLE shield DROP CONSTRAINT shield_name_check;"
        "ALTER TABLE shield ADD CONSTRAINT shield_name_check CHECK (length(name) < 90);");
    BOOST_TEST(lines(ground.drift()) ==
               "guild.name is text COLLATE \"C\", should be text NOT NULL COLLATE \"C\"\n"
               "guild: guild_name_key is missing\n"
               "shield.defense_rating is bigint NOT NULL DEFAULT 11, should be bigint NOT NULL "
               "DEFAULT 10\n"
               "shield: shield_name_check is CHECK ((length(name) < 90)), should be CHECK "
               "(((length(name) >= 1) AND (length(name) <= 80)))\n");
  }
}

ON_EACH_DATABASE(keys_of_deleted_rows_are_not_given_again) {
  Ground ground(kind);
  ground.revise("begin");
  ground.upgrade();
  ground.insert_rows();  // 3 was deleted
  column(ground.models, "shield", "name").max_length = 100;
  ground.revise("longer");
  ground.upgrade();
  ground.run_sql("INSERT INTO shield (name) VALUES ('Next')");
  BOOST_TEST(ground.value("SELECT CAST(id AS TEXT) FROM shield WHERE name = 'Next'") == "4");
}

BOOST_AUTO_TEST_CASE(a_trigger_of_sqlite_is_one_statement) {
  Ground ground("sqlite");
  ground.revise("begin");
  ground.write_sql("watch",
                   "CREATE TRIGGER watch AFTER INSERT ON guild BEGIN\n"
                   "  UPDATE guild SET name = CASE WHEN new.name = '' THEN 'none' ELSE new.name "
                   "END;\n  DELETE FROM member;\nEND;",
                   "DROP TRIGGER watch;");
  ground.upgrade();
  ground.run_sql("INSERT INTO guild (name) VALUES ('')");
  BOOST_TEST(ground.value("SELECT name FROM guild") == "none");
}

BOOST_AUTO_TEST_CASE(what_was_made_by_hand_is_not_lost_with_its_table) {
  Ground ground("sqlite");
  ground.revise("begin");
  ground.write_sql("by_hand", "CREATE INDEX quick ON shield (enchantment) WHERE id > 0;",
                   "DROP INDEX quick;");
  column(ground.models, "shield", "name").max_length = 100;
  ground.revise("longer");
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }),
                 "0003_longer failed, and nothing of it is left in the database: it builds the "
                 "table shield anew, and quick, which an earlier migration made by hand, would be "
                 "gone"));
  const auto file = ground.migrations() / "0003_longer" / "sqlite.sql";
  std::string text = aegis::db::read_file(file);
  text.insert(text.find("-- down"), "CREATE INDEX quick ON shield (enchantment) WHERE id > 0;\n");
  std::ofstream(file) << text;
  ground.upgrade();
  BOOST_TEST(ground.value("SELECT tbl_name FROM sqlite_schema WHERE name = 'quick'") == "shield");
}

BOOST_AUTO_TEST_CASE(files_that_are_no_migrations_are_refused) {
  Ground ground("sqlite");
  ground.revise("begin");
  const auto file = ground.migrations() / "0001_begin" / "sqlite.sql";
  std::ofstream(file) << "CREATE TABLE a (id INTEGER);\n";
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }), "must have a line \"-- up\""));
  std::filesystem::remove(file);
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }), "has no SQL for this database"));
  std::filesystem::remove(ground.migrations() / "schema.json");
  BOOST_TEST(has(refusal([&] { ground.folder(); }), "schema.json is missing"));
}

BOOST_AUTO_TEST_CASE(statements_of_postgresql_that_run_in_no_transaction) {
  Ground ground("postgresql");
  ground.revise("begin");
  const std::string index =
      "-- no transaction\nCREATE INDEX CONCURRENTLY quick ON shield (enchantment);";
  ground.write_sql("quick", index, "-- no transaction\nDROP INDEX CONCURRENTLY quick;");
  ground.upgrade();
  BOOST_TEST(ground.state().current() == 2);
  BOOST_TEST(lines(ground.drift()) == "");
  ground.downgrade(1);
  BOOST_TEST(ground.state().current() == 1);

  ground.write_sql("bad",
                   "-- no transaction\nCREATE INDEX CONCURRENTLY late ON shield (enchantment);\n"
                   "SELECT 1 / 0;",
                   "");
  const auto failure = refusal([&] { ground.upgrade(3); });
  BOOST_TEST(has(failure,
                 "0003_bad failed, and what it did before is in the database (-- no "
                 "transaction). Statement 2 of 2: "));
  BOOST_TEST(ground.state().current() == 2);
  // The lock that was held outside of a transaction is given back, though the pool lives on.
  while (ground.value("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'") != "0") {
  }
}

// An index that is built concurrently waits for every snapshot, also one of who waits to migrate.
BOOST_AUTO_TEST_CASE(who_waits_to_migrate_does_not_hold_up_an_index_built_concurrently) {
  Ground ground("postgresql");
  ground.revise("begin");
  ground.upgrade();
  // Builds its index once another connection has asked for the lock.
  ground.write_sql(
      "quick",
      "-- no transaction\n"
      "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
      "AND datname = current_database() AND (query = 'ROLLBACK' OR query LIKE '%advisory_xact%')) "
      "LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END $$;\n"
      "CREATE INDEX CONCURRENTLY quick ON shield (enchantment);",
      "");
  struct Process {
    explicit Process(Ground& on)
        : files(on.folder()), database(runtime, aegis::db::migration_options({.url = on.url()})) {}
    awaitable<void> upgrade() {
      aegis::db::Migrator migrator(runtime, database, files);
      co_await migrator.upgrade(std::nullopt, [](const std::string&) {});
      co_await database.close();
    }
    aegis::Runtime runtime{{.threads = 1, .handle_signals = false}};
    const aegis::db::MigrationFolder files;
    Database database;
  };
  Process first(ground);
  Process second(ground);
  using namespace boost::asio::experimental::awaitable_operators;
  boost::asio::io_context io{1};
  auto both = [&]() -> awaitable<void> { co_await (first.upgrade() && second.upgrade()); };
  run(io, both());
  BOOST_TEST(ground.state().current() == 2);
  BOOST_TEST(ground.value("SELECT indisvalid::text FROM pg_index WHERE indexrelid = "
                          "'quick'::regclass") == "true");
}

BOOST_AUTO_TEST_CASE(sqlite_runs_every_migration_in_a_transaction) {
  Ground ground("sqlite");
  ground.write_sql("vacuum", "-- no transaction\nVACUUM;", "");
  BOOST_TEST(has(refusal([&] { ground.upgrade(); }), "is for PostgreSQL only"));
}
