// Files that are locked, read-only, full, damaged, missing or replaced: a clear error, and back to
// work when the trouble is over.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view insert = "INSERT INTO t (v) VALUES ($1)";

/// Another process that holds the file locked until it is told to let go.
class Locker {
 public:
  Locker(const fs::path& file, const char* begin) {
    int ready[2], end[2];
    BOOST_REQUIRE(::pipe(ready) == 0 && ::pipe(end) == 0);
    child_ = ::fork();
    if (child_ == 0) {
      // Nothing but SQLite and system calls: the other threads are not here.
      ::close(end[1]);
      sqlite3* db = nullptr;
      char c = 0;
      if (sqlite3_open(file.c_str(), &db) == SQLITE_OK &&
          sqlite3_exec(db, begin, nullptr, nullptr, nullptr) == SQLITE_OK &&
          ::write(ready[1], &c, 1) == 1 && ::read(end[0], &c, 1) >= 0) {
        sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
      }
      ::_exit(0);
    }
    ::close(ready[1]);
    ::close(end[0]);
    char c = 0;
    BOOST_REQUIRE(::read(ready[0], &c, 1) == 1);
    ::close(ready[0]);
    end_ = end[1];
  }
  ~Locker() { release(); }
  void release() {
    if (end_ < 0) return;
    ::close(end_);
    end_ = -1;
    ::waitpid(child_, nullptr, 0);
  }

 private:
  pid_t child_;
  int end_ = -1;
};

/// Runs `test` as a user who is not root, in another process.
void as_nobody(const fs::path& folder, const std::function<std::string()>& test) {
  int answer[2];
  BOOST_REQUIRE(::pipe(answer) == 0);
  const bool root = ::geteuid() == 0;
  if (root) BOOST_REQUIRE(::chown(folder.c_str(), 65534, 65534) == 0);
  if (root) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      BOOST_REQUIRE(::chown(entry.path().c_str(), 65534, 65534) == 0);
    }
  }
  const pid_t child = ::fork();
  if (child == 0) {
    if (root && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(1);
    std::string said;
    try {
      said = test();
    } catch (const std::exception& error) {
      said = error.what();
    }
    const auto written = ::write(answer[1], said.data(), said.size());
    ::_exit(written == std::ssize(said) ? 0 : 1);
  }
  ::close(answer[1]);
  std::string said(1000, '\0');
  const auto length = ::read(answer[0], said.data(), said.size());
  ::close(answer[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  BOOST_TEST(status == 0);
  BOOST_TEST(said.empty(), said);
}

/// Opening pauses for a moment after a failure.
void recovers(const std::function<void()>& action) {
  for (;;) {
    try {
      return action();
    } catch (const Error&) {
      std::this_thread::yield();
    }
  }
}

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
  recovers([&] { db.query("SELECT 1"); });
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
  recovers([&] { db.execute(insert, {std::int64_t{3}}); });
  BOOST_TEST(db.query("SELECT group_concat(v) FROM t").first() == "1,3");
}
