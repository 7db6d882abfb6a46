// What the database says of itself, with everything that can be wrong with a file.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "db/sqlite/dialect.h"
#include "db/sqlite/driver.h"
#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;
namespace fs = std::filesystem;

namespace {

struct Case {
  explicit Case(const DatabaseOptions& options)
      : driver(sqlite::make_driver(options, sqlite::dialect())) {}

  DatabaseReport report() { return wait(driver->inspect()); }
  void execute(std::string_view sql) {
    const auto link = driver->open({});
    wait(write(*link, sql));
    wait(link->commit());
  }

  std::unique_ptr<Driver> driver;
};

std::string value(const std::vector<DatabaseReport::Fact>& facts, std::string_view name) {
  for (const auto& fact : facts) {
    if (fact.name == name) return fact.value;
  }
  return "(no such fact)";
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
  BOOST_TEST(value(report.storage, "exists") == "yes");
  BOOST_TEST(value(report.storage, "writable") == "yes");
  BOOST_TEST(value(report.storage, "permissions") == "rw-r--r--");
  BOOST_TEST(std::stoll(value(report.storage, "size_bytes")) > 0);
  BOOST_TEST(std::stoll(value(report.storage, "wal_size_bytes")) > 0);
  BOOST_TEST(value(report.settings, "journal_mode") == "wal");
  BOOST_TEST(value(report.settings, "foreign_keys") == "1");
  BOOST_TEST(value(report.settings, "synchronous") == "1");
  BOOST_TEST(value(report.settings, "busy_timeout") == "5000");
  BOOST_TEST(value(report.pool, "sessions_committed") == "4");

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
  BOOST_TEST(value(report.storage, "exists") == "no");
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
  BOOST_TEST(contains(report.problems[0].message, "read-only (permissions r--------)"));
  BOOST_TEST(contains(report.problems[0].message, "chmod u+w"));
  BOOST_TEST(report.tables.size() == 1U);
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
