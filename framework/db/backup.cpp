#include "db/backup.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "aegis/core/error.h"
#include "db/postgres/config.h"
#include "db/postgres/environment.h"
#include "db/sqlite/config.h"

extern char** environ;  // NOLINT: POSIX

namespace aegis::db {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view why) {
  throw Error(Errc::unavailable, fmt::format("The database was not backed up: {}.", why));
}

// A part at a time, so that nobody waits long for the file.
constexpr int pages_at_once = 1'000;
constexpr auto busy_pause = std::chrono::milliseconds(50);
constexpr int most_busy_pauses = 1'200;  // a minute

void copy_sqlite(const fs::path& from, const fs::path& to) {
  using Handle = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
  const auto open = [](const fs::path& path, int flags) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    Handle handle(raw, &sqlite3_close);
    if (code != SQLITE_OK) fail(fmt::format("{}: {}", path.string(), sqlite3_errstr(code)));
    return handle;
  };
  const Handle source = open(from, SQLITE_OPEN_READWRITE);
  const Handle target = open(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3_backup* backup = sqlite3_backup_init(target.get(), "main", source.get(), "main");
  if (!backup) fail(sqlite3_errmsg(target.get()));
  int code = SQLITE_OK;
  // One snapshot, held by a reading transaction: otherwise every write would begin the copy anew.
  sqlite3_exec(source.get(), "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr,
               nullptr);
  for (int busy = 0; busy < most_busy_pauses;) {
    code = sqlite3_backup_step(backup, pages_at_once);
    if (code == SQLITE_OK) continue;
    if (code != SQLITE_BUSY && code != SQLITE_LOCKED) break;
    ++busy;
    std::this_thread::sleep_for(busy_pause);
  }
  sqlite3_backup_finish(backup);
  sqlite3_exec(source.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  if (code != SQLITE_DONE) fail(sqlite3_errstr(code));
}

/// Runs pg_dump; what it says goes into `log`.
void dump_postgresql(const DatabaseOptions& options, const fs::path& to, const fs::path& log) {
  std::vector<std::string> command{"pg_dump", "--format=custom", "--no-password",
                                   "--file=" + to.string()};
  // The password is no argument, which others could see.
  std::vector<std::string> variables;
  for (const auto& [name, value] : postgres::environment_of(postgres::read_config(options))) {
    variables.push_back(name + "=" + value);
  }
  for (char** each = environ; *each != nullptr; ++each) variables.emplace_back(*each);
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  };
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  // Clients' and databases' sockets are none of its business, and would be open as long as it runs.
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, "pg_dump", &files, nullptr, pointers(command).data(),
                                    pointers(variables).data());
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) {
    fail(
        fmt::format("pg_dump cannot be run: {}; on Debian it comes with apt-get install "
                    "postgresql-client",
                    std::generic_category().message(failed)));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::string said;
  std::getline(std::ifstream(log), said);
  fail(said.empty() ? "pg_dump failed" : said);
}

/// Whether a copy is called so: backup-20261121T030000Z, and `suffix`.
bool is_copy(std::string_view name, std::string_view suffix) {
  constexpr std::string_view pattern = "backup-########T######Z";
  if (name.size() != pattern.size() + suffix.size() || !name.ends_with(suffix)) return false;
  return std::ranges::equal(pattern, name.substr(0, pattern.size()), [](char wanted, char c) {
    return wanted == '#' ? c >= '0' && c <= '9' : wanted == c;
  });
}

/// Keeps the newest ones, and `made` whatever the clock said when the others were made.
void delete_oldest(const fs::path& made, std::string_view suffix, int keep) {
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(made.parent_path())) {
    const std::string name = entry.path().filename();
    if (is_copy(name, suffix) && entry.path() != made) others.push_back(entry.path());
  }
  std::ranges::sort(others, std::greater());  // their names begin with the time
  for (std::size_t i = static_cast<std::size_t>(std::max(keep, 1) - 1); i < others.size(); ++i) {
    fs::remove(others[i]);
  }
}

/// What runs that were killed have left: nobody has written to it for some time.
void delete_unfinished(const fs::path& folder, std::string_view suffix) {
  const auto recently = fs::file_time_type::clock::now() - std::chrono::minutes(10);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (entry.last_write_time() > recently) continue;
    for (const std::string_view rest : {".part", ".part-journal", ".log"}) {
      if (is_copy(name, std::string(suffix) + std::string(rest))) fs::remove(entry.path());
    }
  }
}

/// Only its owner may read a copy, from the first byte on.
void create_private(const fs::path& file) {
  const int made = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (made < 0) fail(fmt::format("{}: {}", file.string(), std::generic_category().message(errno)));
  ::close(made);
}

}  // namespace

std::string back_up(const BackupPlan& plan) {
  const bool sqlite = plan.database.url.starts_with("sqlite:");
  if (sqlite && sqlite::read_config(plan.database).in_memory()) {
    fail("it is in memory (DATABASE_URL), where a copy has no use");
  }
  const std::string_view suffix = sqlite ? ".db" : ".dump";
  const fs::path folder(plan.folder);
  std::error_code trouble;
  fs::create_directories(folder, trouble);
  if (trouble) fail(fmt::format("{} (BACKUP_DIR): {}", folder.string(), trouble.message()));
  const auto now = std::chrono::system_clock::now();
  const fs::path file =
      folder / fmt::format("backup-{:%Y%m%dT%H%M%SZ}{}",
                           fmt::gmtime(std::chrono::system_clock::to_time_t(now)), suffix);
  const fs::path unfinished = file.string() + ".part";
  const fs::path log = file.string() + ".log";
  struct Clear {
    const fs::path &unfinished, &log;
    ~Clear() {
      std::error_code ignored;
      fs::remove(unfinished, ignored);
      fs::remove(log, ignored);
    }
  } clear{unfinished, log};
  delete_unfinished(folder, suffix);
  create_private(unfinished);
  if (sqlite) {
    copy_sqlite(sqlite::read_config(plan.database).file, unfinished);
  } else {
    dump_postgresql(plan.database, unfinished, log);
  }
  fs::rename(unfinished, file, trouble);
  if (trouble) fail(fmt::format("{}: {}", file.string(), trouble.message()));
  delete_oldest(file, suffix, plan.keep);
  return file.string();
}

}  // namespace aegis::db
