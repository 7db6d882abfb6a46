// The reference for database figures: the shield table through the bare sqlite3 C API, one thread,
// prepared statements, WAL and synchronous=NORMAL. Measures inserts in groups (64 a transaction, a
// SAVEPOINT each, as Aegis commits sessions that queue up), inserts with a transaction each, and
// selects by primary key; prints one line of JSON.
//
//   sqlite_reference DIRECTORY SECONDS     (a fresh database in DIRECTORY; SECONDS for each of the
//   three)

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

constexpr int group_size = 64;

[[noreturn]] void fail(sqlite3* db, const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
  std::exit(1);
}

class Database {
 public:
  explicit Database(const std::filesystem::path& file) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) fail(db_, file.c_str());
    for (const char* sql :
         {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA foreign_keys=ON",
          "CREATE TABLE shield (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, defense_rating "
          "INTEGER NOT NULL,"
          " material TEXT NOT NULL, enchantment TEXT) STRICT",
          "CREATE INDEX ix_shield_material ON shield (material)"}) {
      if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(db_, sql);
    }
  }
  ~Database() { sqlite3_close(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] sqlite3* handle() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

class Statement {
 public:
  Statement(const Database& database, const char* sql) : db_{database.handle()} {
    if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) !=
        SQLITE_OK)
      fail(db_, sql);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Runs to the end; returns the number of rows.
  int run() {
    int rows = 0;
    int result = SQLITE_OK;
    while ((result = sqlite3_step(statement_)) == SQLITE_ROW) {
      ++rows;
      read_row();
    }
    if (result != SQLITE_DONE) fail(db_, sqlite3_sql(statement_));
    sqlite3_reset(statement_);
    return rows;
  }

  void bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_, index, value); }
  void bind(int index, const std::string& value) {
    sqlite3_bind_text(statement_, index, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
  }
  void bind_null(int index) { sqlite3_bind_null(statement_, index); }

 private:
  void read_row() {
    for (int column = 0; column < sqlite3_column_count(statement_); ++column) {
      if (sqlite3_column_type(statement_, column) == SQLITE_INTEGER) {
        sqlite3_column_int64(statement_, column);
      } else {
        sqlite3_column_text(statement_, column);
      }
    }
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

/// Inserts shields like those the load generator posts.
class Inserter {
 public:
  explicit Inserter(const Database& database)
      : insert_{database,
                "INSERT INTO shield (name, defense_rating, material, enchantment) VALUES (?, ?, ?, "
                "?)"} {}

  void insert() {
    char name[32];
    std::snprintf(name, sizeof name, "bench-%012lld", static_cast<long long>(count_++));
    name_ = name;
    insert_.bind(1, name_);
    insert_.bind(2, 42);
    insert_.bind(3, material_);
    insert_.bind_null(4);
    insert_.run();
  }

 private:
  Statement insert_;
  std::string name_;
  const std::string material_ = "iron";
  std::int64_t count_ = 0;
};

/// Calls `work`, which returns how many operations it did, for `seconds`; returns operations a
/// second.
template <class Work>
double rate(double seconds, Work work) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  std::int64_t operations = 0;
  double elapsed = 0;
  do {
    operations += work();
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (elapsed < seconds);
  return static_cast<double>(operations) / elapsed;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s DIRECTORY SECONDS\n", argv[0]);
    return 64;
  }
  const std::filesystem::path directory = argv[1];
  const double seconds = std::atof(argv[2]);

  const Database grouped{directory / "grouped.db"};
  Statement begin{grouped, "BEGIN IMMEDIATE"};
  Statement commit{grouped, "COMMIT"};
  Statement savepoint{grouped, "SAVEPOINT session"};
  Statement release{grouped, "RELEASE session"};
  Inserter in_groups{grouped};
  const double grouped_rate = rate(seconds, [&] {
    begin.run();
    for (int i = 0; i < group_size; ++i) {
      savepoint.run();
      in_groups.insert();
      release.run();
    }
    commit.run();
    return group_size;
  });

  Statement by_id{
      grouped, "SELECT id, name, defense_rating, material, enchantment FROM shield WHERE id = ?"};
  std::int64_t id = 0;
  const double select_rate = rate(seconds, [&] {
    constexpr int selects = 64;
    for (int i = 0; i < selects; ++i) {
      by_id.bind(1, id++ % 1000 + 1);
      if (by_id.run() != 1) fail(grouped.handle(), "select by id found no row");
    }
    return selects;
  });

  const Database single{directory / "single.db"};
  Statement begin_one{single, "BEGIN IMMEDIATE"};
  Statement commit_one{single, "COMMIT"};
  Inserter one_by_one{single};
  const double single_rate = rate(seconds, [&] {
    begin_one.run();
    one_by_one.insert();
    commit_one.run();
    return 1;
  });

  std::printf(
      "{\"grouped_inserts_per_s\": %.0f, \"single_inserts_per_s\": %.0f, \"selects_per_s\": "
      "%.0f}\n",
      grouped_rate, single_rate, select_rate);
}
