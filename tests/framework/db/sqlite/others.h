#pragma once

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <functional>
#include <string>

/// Other processes at the same file.
namespace aegis::db::sqlite::test {

/// Another process that holds the file locked until it is told to let go.
class Locker {
 public:
  Locker(const std::filesystem::path& file, const char* begin) {
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
inline void as_nobody(const std::filesystem::path& folder,
                      const std::function<std::string()>& test) {
  int answer[2];
  BOOST_REQUIRE(::pipe(answer) == 0);
  const bool root = ::geteuid() == 0;
  if (root) BOOST_REQUIRE(::chown(folder.c_str(), 65534, 65534) == 0);
  if (root) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
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

}  // namespace aegis::db::sqlite::test
