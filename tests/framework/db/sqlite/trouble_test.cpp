// Files that are locked, read-only, full, damaged, missing or replaced: a clear error, and back to
// work when the trouble is over.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "fixture.h"
#include "others.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view insert = "INSERT INTO t (v) VALUES ($1)";

void create(const fs::path& file) {
  Fixture db;
  db.engine->stop();
  db.engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = url_of(file)}));
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
  db.execute(insert, {std::int64_t{1}});
}

}  // namespace

BOOST_AUTO_TEST_CASE(locked_by_another_process) {
  Fixture db({{"busy_timeout", "50"}});
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
  Locker locker(db.file, "BEGIN IMMEDIATE");
  const auto [code, text] = error_of([&] { db.execute(insert, {std::int64_t{1}}); });
  BOOST_TEST((code == Errc::unavailable));
  BOOST_TEST(contains(text, "locked by another process"));
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "0");  // reads go on
  locker.release();
  db.execute(insert, {std::int64_t{2}});
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "1");
}

BOOST_AUTO_TEST_CASE(a_lock_that_ends_in_time_is_waited_for) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
  Locker locker(db.file, "BEGIN IMMEDIATE");
  std::thread writing([&] {
    for (std::int64_t i = 0; i < 3; ++i) db.execute(insert, {i});
  });
  while (db.engine->writer.figures().waiting == 0) std::this_thread::yield();
  locker.release();
  writing.join();
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "3");
}

// As when processes start together on a file that is new: SQLite itself does not wait here.
BOOST_AUTO_TEST_CASE(a_journal_mode_that_another_process_holds_up_is_waited_for) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "new.db";
  Locker locker(file, "CREATE TABLE t (v); BEGIN IMMEDIATE");
  const sqlite::Config config = sqlite::read_config({.url = url_of(file)});
  int waited = 0;
  const auto while_waiting = [&] {
    if (++waited == 3) locker.release();
    return false;
  };
  sqlite::Connection connection(config, sqlite::Connection::Role::writer, while_waiting);
  BOOST_TEST(waited >= 3);
  BOOST_TEST(connection.text("PRAGMA journal_mode") == "wal");
}

BOOST_AUTO_TEST_CASE(locked_for_reading_too) {
  Fixture db({{"busy_timeout", "50"}, {"journal_mode", "DELETE"}});
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
  Locker locker(db.file, "BEGIN EXCLUSIVE");
  BOOST_TEST((error_of([&] { db.query("SELECT * FROM t"); }).first == Errc::unavailable));
  locker.release();
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "0");
}

BOOST_AUTO_TEST_CASE(closing_does_not_wait_for_a_lock) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
  Locker locker(db.file, "BEGIN IMMEDIATE");
  std::string told;
  std::thread writing(
      [&] { told = error_of([&] { db.execute(insert, {std::int64_t{1}}); }).second; });
  while (db.engine->writer.figures().waiting == 0) std::this_thread::yield();
  db.engine->stop();
  writing.join();
  BOOST_TEST(contains(told, "closed"));
}

BOOST_AUTO_TEST_CASE(a_read_only_file_can_be_read) {
  const Folder folder;
  const fs::path file = folder.path() / "a.db";
  create(file);
  fs::permissions(file, fs::perms::owner_read);
  as_nobody(folder.path(), [&]() -> std::string {
    Fixture db;
    db.engine->stop();
    db.engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = url_of(file)}));
    if (db.query("SELECT count(*) FROM t").first() != "1") return "cannot be read";
    const auto [code, text] = error_of([&] { db.execute(insert, {std::int64_t{2}}); });
    if (code != Errc::unavailable || !contains(text, "chmod u+w")) {
      return text;
    }
    // Put right, it works without a restart.
    for (const char* end : {"", "-wal", "-shm"}) {
      fs::permissions(file.string() + end, fs::perms::owner_read | fs::perms::owner_write);
    }
    db.execute(insert, {std::int64_t{3}});
    return db.query("SELECT count(*) FROM t").first() == "2" ? "" : "not written";
  });
}

BOOST_AUTO_TEST_CASE(a_file_that_may_not_be_read) {
  const Folder folder;
  const fs::path file = folder.path() / "a.db";
  create(file);
  fs::permissions(file, fs::perms::none);
  as_nobody(folder.path(), [&]() -> std::string {
    Fixture db;
    db.engine->stop();
    db.engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = url_of(file)}));
    const auto [code, text] = error_of([&] { db.query("SELECT 1"); });
    return code == Errc::unavailable && contains(text, "cannot be opened") ? "" : text;
  });
}

BOOST_AUTO_TEST_CASE(a_full_database) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, x BLOB)");
  auto limited = [&](Link& link) -> awaitable<void> {
    co_await read(link, "SELECT 1");
    co_await write(link, "PRAGMA max_page_count = 10");
  };
  wait(db.session(limited));
  const auto [code, text] =
      error_of([&] { db.execute("INSERT INTO t (x) VALUES (zeroblob(1000000))"); });
  BOOST_TEST((code == Errc::unavailable));
  BOOST_TEST(contains(text, "is full"));
  db.execute(insert, {std::int64_t{1}});
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "1");
}

BOOST_AUTO_TEST_CASE(a_full_disk) {
  const Folder folder;
  if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    BOOST_TEST_MESSAGE("skipped: no right to mount");
    return;
  }
  {
    Fixture db;
    db.engine->stop();
    db.engine = std::make_shared<sqlite::Engine>(
        sqlite::read_config({.url = url_of(folder.path() / "a.db")}));
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, x BLOB)");
    int acknowledged = 0;
    std::string told;
    while (told.empty()) {
      try {
        db.execute("INSERT INTO t (x) VALUES (zeroblob(20000))");
        ++acknowledged;
      } catch (const Error& error) {
        told = error.what();
      }
    }
    BOOST_TEST(contains(told, "is full"), told);
    BOOST_TEST(acknowledged > 5);
    BOOST_TEST(db.query("SELECT count(*) FROM t").first() == std::to_string(acknowledged));
    ::mount("none", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=8m");
    db.execute(insert, {std::int64_t{1}});
    BOOST_TEST(db.query("SELECT count(*) FROM t").first() == std::to_string(acknowledged + 1));
  }
  ::umount(folder.path().c_str());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_database_and_then_is) {
  Fixture db;
  std::ofstream(db.file) << std::string(4096, 'x');
  for (int i = 0; i < 3; ++i) {
    const auto [code, text] = error_of([&] { db.query("SELECT 1"); });
    BOOST_TEST((code == Errc::unavailable));
    BOOST_TEST(contains(text, "no SQLite database"));
    BOOST_TEST(contains(text, db.file.string()));
  }
  fs::remove(db.file);
  BOOST_TEST(db.query("SELECT 1").first() == "1");
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_named) {
  Fixture db;
  db.engine->stop();
  const fs::path file = db.folder.path() / "no" / "a.db";
  db.engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = url_of(file)}));
  const auto [code, text] = error_of([&] { db.query("SELECT 1"); });
  BOOST_TEST((code == Errc::unavailable));
  BOOST_TEST(contains(text, "mkdir -p " + (db.folder.path() / "no").string()));
}

BOOST_AUTO_TEST_CASE(a_folder_below_the_working_directory_is_made) {
  Fixture db;
  db.engine->stop();
  const fs::path before = fs::current_path();
  fs::current_path(db.folder.path());
  db.engine = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = "sqlite:///data/a.db"}));
  auto deep = std::make_shared<sqlite::Engine>(sqlite::read_config({.url = "sqlite:///x/y/a.db"}));
  fs::current_path(before);
  BOOST_TEST(db.query("SELECT 1").first() == "1");
  BOOST_TEST(fs::exists(db.folder.path() / "data/a.db"));
  db.engine->stop();
  db.engine = deep;
  BOOST_TEST(contains(error_of([&] { db.query("SELECT 1"); }).second, "mkdir -p"));
  BOOST_TEST(!fs::exists(db.folder.path() / "x"));
}

BOOST_AUTO_TEST_CASE(a_file_that_vanishes_is_not_made_anew) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
  db.execute(insert, {std::int64_t{1}});
  const fs::path aside = db.folder.path() / "aside.db";
  fs::copy_file(db.file, aside);
  fs::copy_file(db.file.string() + "-wal", aside.string() + "-wal");
  for (const char* end : {"", "-wal", "-shm"}) fs::remove(db.file.string() + end);

  const auto [code, text] = error_of([&] { db.execute(insert, {std::int64_t{2}}); });
  BOOST_TEST((code == Errc::unavailable));
  BOOST_TEST(contains(text, "is gone: put it back"));
  BOOST_TEST(!fs::exists(db.file));

  fs::rename(aside.string() + "-wal", db.file.string() + "-wal");
  fs::rename(aside, db.file);
  db.execute(insert, {std::int64_t{3}});  // at once
  BOOST_TEST(db.query("SELECT group_concat(v) FROM t").first() == "1,3");
}

BOOST_AUTO_TEST_CASE(a_read_notices_that_the_file_is_gone) {
  for (const char* opcodes : {"20000", "0"}) {  // in place; on a reader's thread
    Fixture db({{"inline_opcodes", opcodes}, {"readers", "1"}});
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
    for (int i = 0; i < 100; ++i) db.query("SELECT count(*) FROM t");  // all connections are open
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(db.file.string() + end);
    std::string told;
    while (!contains(told, "is gone: put it back")) {
      try {
        db.query("SELECT count(*) FROM t");
      } catch (const Error& error) {
        told = error.what();
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_read_notices_that_the_file_was_replaced) {
  for (const char* opcodes : {"20000", "0"}) {
    Fixture db({{"inline_opcodes", opcodes}, {"readers", "1"}});
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
    for (int i = 0; i < 100; ++i) db.query("SELECT count(*) FROM t");  // all connections are open
    const fs::path other = db.folder.path() / "other.db";
    create(other);
    for (const char* end : {"-wal", "-shm"}) fs::remove(db.file.string() + end);
    fs::rename(other, db.file);
    while (db.query("SELECT count(*) FROM t").first() != "1") std::this_thread::yield();
  }
}
