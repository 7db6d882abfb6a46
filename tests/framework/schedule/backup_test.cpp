// Copies of a database that is in use.
#include "db/backup.h"

#include <sqlite3.h>

#include <fstream>

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

}  // namespace

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
