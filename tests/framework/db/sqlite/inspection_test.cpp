// What the database says of itself, with everything that can be wrong with a file.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "aegis/core/runtime.h"
#include "db/sqlite/dialect.h"
#include "db/sqlite/driver.h"
#include "db/sqlite/inspection.h"
#include "fixture.h"
#include "others.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;
namespace fs = std::filesystem;

namespace {

struct Case {
  explicit Case(const DatabaseOptions& options)
      : driver(sqlite::make_driver(runtime, options, sqlite::dialect())) {}

  DatabaseReport report() { return wait(driver->inspect()); }
  void execute(std::string_view sql) {
    const auto link = driver->open({}, nullptr);
    wait(write(*link, sql));
    wait(link->commit());
  }

  Runtime runtime{{.threads = 1, .handle_signals = false}};
  std::unique_ptr<Driver> driver;
};

template <class T>
T value(const std::vector<DatabaseReport::Fact>& facts, std::string_view name) {
  const auto found = std::ranges::find(facts, name, &DatabaseReport::Fact::name);
  if (found == facts.end()) throw std::logic_error("no such fact");
  return std::get<T>(found->value);
}

void create(const fs::path& file, std::string_view sql) {
  Case db({.url = url_of(file)});
  db.execute(sql);
  wait(db.driver->close());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_sound_database_is_described) {
  ::umask(022);
  const Folder folder;
  Case db({.url = url_of(folder.path() / "a.db")});
  db.execute("CREATE TABLE owner (id INTEGER PRIMARY KEY)");
  db.execute(
      "CREATE TABLE shield (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, "
      "owner INTEGER REFERENCES owner (id) ON DELETE CASCADE, rating INTEGER DEFAULT 10) STRICT");
  db.execute("CREATE INDEX shield_rating ON shield (rating, name)");
  db.execute("INSERT INTO shield (name) VALUES ('a'), ('b')");

  const DatabaseReport report = db.report();
  BOOST_TEST(report.problems.empty());
  BOOST_TEST(report.implementation == "sqlite");
  BOOST_TEST(report.version == sqlite3_libversion());
  BOOST_TEST(value<bool>(report.storage, "exists"));
  BOOST_TEST(value<bool>(report.storage, "writable"));
  BOOST_TEST(value<std::string>(report.storage, "permissions") == "rw-r--r--");
  BOOST_TEST(value<std::int64_t>(report.storage, "size_bytes") > 0);
  BOOST_TEST(value<std::int64_t>(report.storage, "wal_size_bytes") > 0);
  BOOST_TEST(value<std::string>(report.settings, "journal_mode") == "wal");
  BOOST_TEST(value<bool>(report.settings, "foreign_keys"));
  BOOST_TEST(value<std::string>(report.settings, "synchronous") == "NORMAL");
  BOOST_TEST(value<std::int64_t>(report.settings, "busy_timeout") == 5000);
  BOOST_TEST(value<std::int64_t>(report.pool, "sessions_committed") == 4);
  BOOST_TEST(value<double>(report.pool, "sessions_per_commit") >= 1);

  BOOST_REQUIRE_EQUAL(report.tables.size(), 2U);
  const auto& shield = report.tables[1];
  BOOST_TEST(shield.name == "shield");
  BOOST_TEST(shield.rows == 2);
  BOOST_TEST(!shield.estimated);
  BOOST_TEST(shield.columns[0] == "id INTEGER PRIMARY KEY");
  BOOST_TEST(shield.columns[1] == "name TEXT NOT NULL");
  BOOST_TEST(shield.columns[3] == "rating INTEGER DEFAULT 10");
  BOOST_TEST(shield.indexes[0] == "shield_rating (rating, name)");
  BOOST_TEST(shield.indexes[1] == "sqlite_autoindex_shield_1 (name) UNIQUE");
  BOOST_TEST(shield.foreign_keys[0] == "owner -> owner.id ON DELETE CASCADE");
}

BOOST_AUTO_TEST_CASE(a_large_table_is_estimated) {
  const Folder folder;
  Case db({.url = url_of(folder.path() / "a.db")});
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
  db.execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
      "INSERT INTO t SELECT i, i FROM n");
  const DatabaseReport report = db.report();
  BOOST_TEST(report.tables[0].estimated);
  BOOST_TEST(report.tables[0].rows == 20000);
}

BOOST_AUTO_TEST_CASE(a_database_in_memory_is_described) {
  Case db({.url = "sqlite://:memory:"});
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  const DatabaseReport report = db.report();
  BOOST_TEST(report.problems.empty());
  BOOST_TEST(report.storage.empty());
  BOOST_TEST(report.tables.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_unhealthy) {
  const Folder folder;
  Case db({.url = url_of(folder.path() / "no" / "a.db")});
  const DatabaseReport report = db.report();
  BOOST_REQUIRE_EQUAL(report.problems.size(), 1U);
  BOOST_TEST(report.problems[0].unhealthy);
  BOOST_TEST(contains(report.problems[0].message, "does not exist: create it"));
  BOOST_TEST(!value<bool>(report.storage, "exists"));
  BOOST_TEST((report.problems[0].part == DatabaseReport::Part::storage));
}

BOOST_AUTO_TEST_CASE(a_read_only_file_is_a_warning) {
  const Folder folder;
  const fs::path file = folder.path() / "a.db";
  create(file, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
  fs::permissions(file, fs::perms::owner_read);
  Case db({.url = url_of(file)});
  const DatabaseReport report = db.report();
  BOOST_REQUIRE_EQUAL(report.problems.size(), 1U);
  BOOST_TEST(!report.problems[0].unhealthy);
  BOOST_TEST((report.problems[0].part == DatabaseReport::Part::storage));
  BOOST_TEST(contains(report.problems[0].message, "(permissions r--------)"));
  // SQLite made these with the file's own permissions.
  const std::string name = file.string();
  const std::string all = "chmod u+w " + name + " " + name + "-wal " + name + "-shm";
  if (fs::exists(name + "-wal")) BOOST_TEST(contains(report.problems[0].message, all));
  BOOST_TEST(report.tables.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_file_that_became_read_only_is_still_written_to) {
  const Folder folder;
  const fs::path file = folder.path() / "a.db";
  create(file, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
  as_nobody(folder.path(), [&]() -> std::string {
    const auto engine =
        std::make_shared<sqlite::Engine>(sqlite::read_config({.url = url_of(file)}));
    const auto insert = [&]() -> awaitable<void> {
      sqlite::SqliteLink link(engine, {});
      co_await write(link, "INSERT INTO t DEFAULT VALUES");
      co_await link.commit();
    };
    wait(insert());
    fs::permissions(file, fs::perms::owner_read);
    DatabaseReport report;
    sqlite::inspect_file(engine->config, engine->writer, report);
    wait(insert());
    engine->stop();
    if (report.problems.size() != 1 || report.problems[0].unhealthy) return "not one warning";
    const std::string& message = report.problems[0].message;
    return contains(message, "still writes, but will not after a restart; chmod u+w") ? ""
                                                                                      : message;
  });
}

BOOST_AUTO_TEST_CASE(a_lock_of_another_process_is_a_warning) {
  for (const auto& [journal, begin] :
       {std::pair{"WAL", "BEGIN IMMEDIATE"}, std::pair{"DELETE", "BEGIN EXCLUSIVE"}}) {
    const Folder folder;
    const fs::path file = folder.path() / "a.db";
    Case db(
        {.url = url_of(file), .connect_args = {{"busy_timeout", "50"}, {"journal_mode", journal}}});
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    Locker locker(file, begin);
    DatabaseReport report = db.report();
    BOOST_REQUIRE_EQUAL(report.problems.size(), 1U);
    BOOST_TEST(!report.problems[0].unhealthy);
    BOOST_TEST(contains(report.problems[0].message, "another process has locked"));
    BOOST_TEST(report.has_tables == (report.tables.size() == 1U));
    locker.release();
    report = db.report();
    BOOST_TEST(report.problems.empty());
    BOOST_TEST(report.has_tables);
  }
}

BOOST_AUTO_TEST_CASE(a_transaction_of_this_process_is_no_problem) {
  const Folder folder;
  Case db({.url = url_of(folder.path() / "a.db"), .connect_args = {{"busy_timeout", "50"}}});
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  const auto link = db.driver->open({}, nullptr);
  wait(write(*link, "INSERT INTO t VALUES (1)"));
  BOOST_TEST(db.report().problems.empty());
}

BOOST_AUTO_TEST_CASE(an_unreadable_file_is_unhealthy) {
  const Folder folder;
  const fs::path file = folder.path() / "a.db";
  create(file, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
  fs::permissions(file, fs::perms::none);
  as_nobody(folder.path(), [&]() -> std::string {
    const sqlite::Engine engine(sqlite::read_config({.url = url_of(file)}));
    DatabaseReport report;
    sqlite::inspect_file(engine.config, engine.writer, report);
    if (report.problems.size() != 1 || !report.problems[0].unhealthy) return "not one problem";
    const std::string& message = report.problems[0].message;
    return contains(message, "cannot be read (permissions ---------)") ? "" : message;
  });
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_unhealthy) {
  const Folder folder;
  const fs::path file = folder.path() / "a.db";
  std::ofstream(file) << "this is certainly not what SQLite writes into the beginning of its files";
  Case db({.url = url_of(file)});
  const DatabaseReport report = db.report();
  BOOST_REQUIRE(!report.problems.empty());
  BOOST_TEST(report.problems[0].unhealthy);
  BOOST_TEST(contains(report.problems[0].message, "no SQLite database"));
  BOOST_TEST(contains(report.problems[0].message, file.string()));
}

BOOST_AUTO_TEST_CASE(damage_inside_is_found) {
  const Folder folder;
  const fs::path file = folder.path() / "a.db";
  create(file, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
  {
    Case db({.url = url_of(file)});
    db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "INSERT INTO t SELECT i, 'some text of a row' FROM n");
    wait(db.driver->close());
  }
  {
    std::fstream damage(file, std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(2 * 4096 + 8);
    damage << std::string(3000, '\xaa');
  }
  Case db({.url = url_of(file)});
  const DatabaseReport report = db.report();
  BOOST_REQUIRE(!report.problems.empty());
  BOOST_TEST(report.problems[0].unhealthy);
  BOOST_TEST(contains(report.problems[0].message, "damaged"));
}

BOOST_AUTO_TEST_CASE(a_closed_database_says_so) {
  Case db({.url = "sqlite://"});
  wait(db.driver->close());
  const DatabaseReport report = db.report();
  BOOST_REQUIRE_EQUAL(report.problems.size(), 1U);
  BOOST_TEST(contains(report.problems[0].message, "closed"));
}
