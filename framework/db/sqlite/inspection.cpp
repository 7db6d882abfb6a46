#include "db/sqlite/inspection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "db/dialect.h"
#include "db/text_rows.h"

namespace aegis::db::sqlite {
namespace {

constexpr std::int64_t rows_counted = 10'000;    // beyond, a table's size is estimated
constexpr std::int64_t pages_checked = 1'000;    // a larger file is not read through
constexpr Milliseconds longest_lock_wait{1000};  // a check of the health must answer in time

using Rows = decltype(TextRows::rows);

Rows query(Connection& connection, std::string_view sql, std::string_view value) {
  TextRows result;
  const Cell cells[] = {value};
  connection.run(Statement{sql, cells, false}, &result);
  return std::move(result.rows);
}

Rows query(Connection& connection, std::string_view sql) {
  TextRows result;
  connection.run(Statement{sql, {}, false}, &result);
  return std::move(result.rows);
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// What lies in the file system.

std::optional<struct stat> facts_of(const std::filesystem::path& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return facts;
}

std::string permissions(mode_t mode) {
  constexpr std::string_view letters = "rwxrwxrwx";
  std::string text;
  for (unsigned i = 0; i < 9; ++i) text += mode & (0400U >> i) ? letters[i] : '-';
  return text;
}

bool may(const std::filesystem::path& path, int what) {
  return ::faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) == 0;
}

// Root may write what nobody should.
bool marked_read_only(mode_t mode) {
  return (mode & 0222) == 0;
}

class FileInspection {
 public:
  FileInspection(const Config& config, const Writer& writer, DatabaseReport& report)
      : config_(config),
        file_(config.file),
        folder_(config.file.parent_path()),
        writer_(writer),
        report_(report) {
    config_.echo = false;
    config_.busy_timeout = std::min(config.busy_timeout, longest_lock_wait);
  }

  void run() {
    fact("file", file_.string());
    const auto folder = facts_of(folder_);
    const auto file = facts_of(file_);
    fact("exists", file.has_value());
    if (!folder) {
      return problem(true, fmt::format("the folder {} does not exist: create it (mkdir -p {})",
                                       folder_.string(), folder_.string()));
    }
    if (!file) {
      return problem(true, fmt::format("the database file {} does not exist", file_.string()));
    }
    inspect_sizes(*file);
    list_permissions(*folder, *file);
    if (!may(file_, R_OK)) {
      return problem(true,
                     fmt::format("the database file {} cannot be read (permissions {}): make it "
                                 "readable for the user that runs this process (uid {})",
                                 file_.string(), permissions(file->st_mode), ::geteuid()));
    }
    check_permissions(*folder, *file);
    inspect_inside();
  }

 private:
  void fact(std::string name, Value value) {
    report_.storage.push_back({std::move(name), std::move(value)});
  }
  void problem(bool unhealthy, std::string message) {
    report_.problems.push_back({unhealthy, std::move(message), DatabaseReport::Part::storage});
  }

  void inspect_sizes(const struct stat& file) {
    fact("size_bytes", std::int64_t{file.st_size});
    const auto log = facts_of(file_.string() + "-wal");
    fact("wal_size_bytes", std::int64_t{log ? log->st_size : 0});
    struct statvfs disk{};
    if (::statvfs(folder_.c_str(), &disk) == 0) {
      fact("disk_free_bytes", static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize));
    }
  }

  void list_permissions(const struct stat& folder, const struct stat& file) {
    fact("permissions", permissions(file.st_mode));
    fact("owner", fmt::format("{}:{}", file.st_uid, file.st_gid));
    fact("readable", may(file_, R_OK));
    fact("writable", may(file_, W_OK));
    fact("folder_permissions", permissions(folder.st_mode));
    fact("folder_writable", may(folder_, W_OK | X_OK));
  }

  void check_permissions(const struct stat& folder, const struct stat& file) {
    struct statvfs disk{};
    if (::statvfs(folder_.c_str(), &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0) {
      return problem(false, fmt::format("the disk that holds {} is mounted read-only: nothing can "
                                        "be written; mount it read-write",
                                        file_.string()));
    }
    // The log and its index are made with the permissions of the database file, and keep them.
    std::vector<std::string> read_only;
    for (const char* end : {"", "-wal", "-shm"}) {
      const std::string name = file_.string() + end;
      const auto facts = facts_of(name);
      if (facts && (!may(name, W_OK) || marked_read_only(facts->st_mode))) {
        read_only.push_back(name);
      }
    }
    if (!read_only.empty()) {
      std::string_view effect = "nothing can be written";
      if (std::ranges::all_of(read_only, [](const auto& name) { return may(name, W_OK); })) {
        effect = "root alone can write it";
      } else if (writer_.can_write()) {
        effect = "this process has it open and still writes, but will not after a restart";
      }
      problem(false,
              fmt::format("the database file {} (permissions {}), or a file that belongs to it, is "
                          "read-only: {}; chmod u+w {}",
                          file_.string(), permissions(file.st_mode), effect,
                          fmt::join(read_only, " ")));
    } else if (!may(folder_, W_OK | X_OK) || marked_read_only(folder.st_mode)) {
      problem(false,
              fmt::format("the folder {} is read-only (permissions {}), but SQLite writes its "
                          "log beside the database; chmod u+w {}",
                          folder_.string(), permissions(folder.st_mode), folder_.string()));
    }
  }

  void inspect_inside() {
    try {
      Connection connection(config_, Connection::Role::reader);
      inspect_contents(connection, report_);
      try_to_write(connection);
    } catch (const Failure& failure) {
      if (failure.primary_code() == SQLITE_BUSY) return locked();
      problem(true, failure.what());
    } catch (const Error& error) {
      problem(true, error.what());
    }
  }

  // The file system's word is not enough; but where something is wrong already, it suffices.
  void try_to_write(Connection& connection) {
    if (!report_.problems.empty() || writer_.in_transaction()) return;
    const auto before = transactions();
    connection.text("PRAGMA query_only = OFF");
    const int code = connection.control("BEGIN IMMEDIATE") & 0xff;
    const Failure failure = connection.last_failure("BEGIN IMMEDIATE");
    connection.control("ROLLBACK");
    if (code == SQLITE_OK) return;
    if (code != SQLITE_BUSY) return problem(code != SQLITE_READONLY, failure.what());
    if (!writer_.in_transaction() && transactions() == before) locked();
  }

  /// Grows with each transaction of this process.
  std::uint64_t transactions() const {
    return writer_.figures().groups + writer_.figures().rollbacks;
  }

  // Works again when the lock is gone, as a rule in a moment: nothing to take the process out for.
  void locked() {
    problem(false, fmt::format("another process has locked the database {} for more than {} ms, so "
                               "that nothing can be written; if it lasts, end it (fuser {} names "
                               "the processes that have it open)",
                               file_.string(), config_.busy_timeout.count(), file_.string()));
  }

  Config config_;
  const std::filesystem::path file_, folder_;
  const Writer& writer_;
  DatabaseReport& report_;
};

// A pragma's answer as people write it.
Value setting(std::string_view name, const std::string& text) {
  static constexpr std::string_view levels[] = {"OFF", "NORMAL", "FULL", "EXTRA"};
  static constexpr std::string_view vacuums[] = {"NONE", "FULL", "INCREMENTAL"};
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return text;
  const auto word = [&](std::span<const std::string_view> words) -> Value {
    if (std::cmp_less(number, 0) || std::cmp_greater_equal(number, words.size())) return number;
    return std::string(words[static_cast<std::size_t>(number)]);
  };
  if (name == "synchronous") return word(levels);
  if (name == "auto_vacuum") return word(vacuums);
  if (name == "foreign_keys") return number != 0;
  return number;
}

// What lies in the database.

std::string column_text(const std::vector<std::string>& row) {  // name, type, notnull, default, pk
  std::string text = row[0] + " " + row[1];
  if (row[2] == "1") text += " NOT NULL";
  if (!row[3].empty()) text += " DEFAULT " + row[3];
  if (row[4] != "0") text += " PRIMARY KEY";
  return text;
}

std::string foreign_key_text(const std::vector<std::string>& row) {  // from, table, to, on_delete
  std::string text = fmt::format("{} -> {}", row[0], row[1]);
  if (!row[2].empty()) text += "." + row[2];
  if (row[3] != "NO ACTION") text += " ON DELETE " + row[3];
  return text;
}

void count_rows(Connection& connection, DatabaseReport::TableFacts& table) {
  const std::string name = identifier(table.name);
  table.rows = number(connection.text(
      fmt::format("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {})", name, rows_counted + 1)));
  if (table.rows <= rows_counted) return;
  table.estimated = true;
  std::int64_t estimate = 0;
  if (!query(connection, "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").empty()) {
    const auto found =
        query(connection, "SELECT stat FROM sqlite_stat1 WHERE tbl = $1 LIMIT 1", table.name);
    if (!found.empty()) estimate = number(found[0][0]);
  }
  if (estimate <= rows_counted) {
    try {
      estimate = number(connection.text(fmt::format("SELECT max(rowid) FROM {}", name)));
    } catch (const Error&) {
      // a table WITHOUT ROWID
    }
  }
  table.rows = std::max(table.rows, estimate);
}

DatabaseReport::TableFacts inspect_table(Connection& connection, std::string name) {
  DatabaseReport::TableFacts table;
  table.name = std::move(name);
  for (const auto& row : query(connection,
                               "SELECT name, type, \"notnull\", dflt_value, pk "
                               "FROM pragma_table_info($1)",
                               table.name)) {
    table.columns.push_back(column_text(row));
  }
  for (const auto& row :
       query(connection,
             "SELECT l.name || ' (' || (SELECT group_concat(name, ', ') FROM "
             "pragma_index_info(l.name)) || ')' || iif(l.\"unique\", ' UNIQUE', '') "
             "FROM pragma_index_list($1) AS l ORDER BY l.name",
             table.name)) {
    table.indexes.push_back(row[0]);
  }
  for (const auto& row : query(connection,
                               "SELECT \"from\", \"table\", \"to\", on_delete "
                               "FROM pragma_foreign_key_list($1) ORDER BY id, seq",
                               table.name)) {
    table.foreign_keys.push_back(foreign_key_text(row));
  }
  count_rows(connection, table);
  return table;
}

}  // namespace

void inspect_file(const Config& config, const Writer& writer, DatabaseReport& report) {
  FileInspection(config, writer, report).run();
  report.settings.push_back({"busy_timeout", std::int64_t{config.busy_timeout.count()}});
}

void inspect_contents(Connection& connection, DatabaseReport& report) {
  for (const std::string_view name :
       {"journal_mode", "synchronous", "foreign_keys", "page_size", "page_count", "freelist_count",
        "cache_size", "mmap_size", "encoding", "auto_vacuum", "schema_version", "user_version",
        "application_id"}) {
    report.settings.push_back(
        {std::string(name), setting(name, connection.text(fmt::format("PRAGMA {}", name)))});
  }
  if (number(connection.text("PRAGMA page_count")) <= pages_checked) {
    const std::string found = connection.text("PRAGMA quick_check(1)");
    if (found != "ok") {
      report.problems.push_back({true,
                                 fmt::format("the database is damaged ({}): restore a backup, or "
                                             "salvage what is left with sqlite3's .recover",
                                             found),
                                 DatabaseReport::Part::storage});
    }
  }
  for (auto& row : query(connection,
                         "SELECT name FROM sqlite_schema WHERE type = 'table' "
                         "AND name NOT GLOB 'sqlite_*' ORDER BY name")) {
    report.tables.push_back(inspect_table(connection, std::move(row[0])));
  }
  report.has_tables = true;
}

}  // namespace aegis::db::sqlite
