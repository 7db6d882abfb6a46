// Copies of a database that is in use.
#include "db/backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "ground.h"

namespace {

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  return files;
}

/// Of the table `effect` in an SQLite file.
int rows_in(const std::string& file) {
  sqlite3* db = nullptr;
  BOOST_REQUIRE(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  int count = -1;
  sqlite3_exec(
      db, "SELECT count(*) FROM effect",
      [](void* to, int, char** values, char**) {
        *static_cast<int*>(to) = std::atoi(values[0]);
        return 0;
      },
      &count, nullptr);
  sqlite3_close(db);
  return count;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// A pg_dump that writes down what it was given, found first in PATH as long as this lives.
class RecordingDump {
 public:
  explicit RecordingDump(const std::filesystem::path& folder) : path_(std::getenv("PATH")) {
    const auto script = folder / "pg_dump";
    std::ofstream(script)
        << "#!/bin/sh\ncd '" << folder.string() << "'\n"
        << "ls -l /proc/$$/fd > files\n"
           "printf '%s\\n' \"$@\" > arguments\n"
           "echo \"$PGPASSWORD\" > password\n"
           "for each; do case $each in --file=*) echo copy > \"${each#--file=}\"; "
           "esac; done\n";
    ::chmod(script.c_str(), 0700);
    ::setenv("PATH", (folder.string() + ":" + path_).c_str(), 1);
  }
  ~RecordingDump() { ::setenv("PATH", path_.c_str(), 1); }

 private:
  std::string path_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(pg_dump_gets_no_open_files_and_no_password_among_its_arguments) {
  const TemporaryFolder folder;
  const RecordingDump pg_dump(folder.path());
  const auto socket = folder.path() / "a-clients-socket";
  const int inherited = ::open(socket.c_str(), O_RDWR | O_CREAT, 0600);  // without O_CLOEXEC
  const std::string copy =
      aegis::db::back_up({.database = {.url = "postgresql://smith:hammer@forge/shields"},
                          .folder = folder.path() / "copies"});
  ::close(inherited);
  BOOST_TEST(text_of(copy) == "copy\n");
  const std::string files = text_of(folder.path() / "files");
  BOOST_TEST(files.find("a-clients-socket") == files.npos, files);
  BOOST_TEST(files.find(" 2 -> ") != files.npos, files);
  BOOST_TEST(text_of(folder.path() / "password") == "hammer\n");
  const std::string arguments = text_of(folder.path() / "arguments");
  BOOST_TEST(arguments.find("hammer") == arguments.npos, arguments);
}

DATABASE_TEST(a_copy_has_what_was_committed_and_old_copies_go) {
  const TemporaryFolder folder;
  const aegis::db::BackupPlan plan{
      .database = {.url = ground.url()}, .folder = folder.path() / "copies", .keep = 2};
  if (ground.one_process()) {
    BOOST_CHECK_THROW(aegis::db::back_up(plan), Error);
    co_return;
  }
  auto insert = [](Session& s) -> awaitable<void> {
    std::vector<Effect> rows(1'000);
    co_await s.insert_all(rows);
  };
  co_await db.session(insert);
  std::filesystem::create_directories(folder.path() / "copies");
  const bool sqlite = ground.url().starts_with("sqlite");
  const std::string suffix = sqlite ? ".db" : ".dump";
  for (const char* old : {"backup-20200101T000000Z", "backup-20210101T000000Z"}) {
    std::ofstream(folder.path() / "copies" / (old + suffix)) << "old";
  }
  const auto kept = folder.path() / "copies" / ("backup-before-the-move" + suffix);
  std::ofstream(kept) << "not made by this";
  const auto unfinished = folder.path() / "copies" / ("backup-20200101T000000Z" + suffix + ".part");
  std::ofstream(unfinished) << "of a process that was killed";
  std::filesystem::last_write_time(
      unfinished, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  const std::string copy = aegis::db::back_up(plan);
  BOOST_TEST(std::filesystem::remove(kept));
  BOOST_TEST(files_in(folder.path() / "copies").size() == 2U);  // and nothing unfinished
  BOOST_TEST((std::filesystem::status(copy).permissions() ==
              (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)));
  BOOST_TEST(
      !std::filesystem::exists(folder.path() / "copies" / ("backup-20200101T000000Z" + suffix)));
  if (sqlite) {
    BOOST_TEST(rows_in(copy) == 1'000);
    co_return;
  }
  std::ifstream file(copy, std::ios::binary);
  std::string begin(5, '\0');
  file.read(begin.data(), 5);
  BOOST_TEST(begin == "PGDMP");
}
