// The reference for jobs: the least SQL that does the same, through the databases' C libraries, on
// one connection. Prints one line of JSON.
//
//   jobs_reference enqueue URL N   N rows by inserts of 1,000 rows each: rows a second
//   jobs_reference drain URL N     N rows by an update that takes 500 and a delete of those: rows a
//   second
//
// URL as Aegis takes it. The table bare_job must not exist.

#include <libpq-fe.h>
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* why) {
  std::fprintf(stderr, "%s\n", why);
  std::exit(1);
}

/// Runs SQL and answers the first column.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual std::vector<std::string> run(const std::string& sql) = 0;
};

class Sqlite final : public Connection {
 public:
  explicit Sqlite(const char* file) {
    if (sqlite3_open(file, &db_) != SQLITE_OK) fail(sqlite3_errmsg(db_));
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = NORMAL");
  }
  ~Sqlite() override { sqlite3_close(db_); }

  std::vector<std::string> run(const std::string& sql) override {
    std::vector<std::string> column;
    const auto take = [](void* to, int, char** values, char**) {
      static_cast<std::vector<std::string>*>(to)->emplace_back(values[0] ? values[0] : "");
      return 0;
    };
    if (sqlite3_exec(db_, sql.c_str(), take, &column, nullptr) != SQLITE_OK) {
      fail(sqlite3_errmsg(db_));
    }
    return column;
  }

 private:
  sqlite3* db_ = nullptr;
};

class Postgres final : public Connection {
 public:
  explicit Postgres(const char* url) : connection_(PQconnectdb(url), &PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail(PQerrorMessage(connection_.get()));
  }

  std::vector<std::string> run(const std::string& sql) override {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection_.get(), sql.c_str()), &PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      fail(PQerrorMessage(connection_.get()));
    }
    std::vector<std::string> column;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      column.emplace_back(PQgetvalue(result.get(), row, 0));
    }
    return column;
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

void enqueue(Connection& db, long count) {
  std::string sql;
  for (long i = 0; i < count; ++i) {
    sql += sql.empty() ? "INSERT INTO bare_job (kind, arguments) VALUES " : ", ";
    sql += "('Noop', '{\"sent_ns\":0}')";
    if ((i + 1) % 1000 == 0 || i + 1 == count) {
      db.run(sql);
      sql.clear();
    }
  }
}

void drain(Connection& db, bool postgres) {
  const std::string take = std::string(
                               "UPDATE bare_job SET state = 1, attempt = attempt + 1 WHERE id IN "
                               "(SELECT id FROM bare_job WHERE state = 0 AND queue = 'default' "
                               "ORDER BY priority, id LIMIT 500") +
                           (postgres ? " FOR UPDATE SKIP LOCKED" : "") +
                           ") RETURNING id, kind, arguments";
  for (;;) {
    std::string sql;
    for (const auto& id : db.run(take)) {
      sql += sql.empty() ? "DELETE FROM bare_job WHERE id IN (" : ",";
      sql += id;
    }
    if (sql.empty()) return;
    db.run(sql + ")");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: jobs_reference enqueue|drain URL N");
  const std::string_view work = argv[1], url = argv[2];
  const long count = std::atol(argv[3]);
  const bool postgres = !url.starts_with("sqlite");
  std::unique_ptr<Connection> db;
  if (postgres) {
    db = std::make_unique<Postgres>(argv[2]);
  } else {
    db = std::make_unique<Sqlite>(argv[2] + std::string_view("sqlite:///").size());
  }
  db->run(std::string("CREATE TABLE bare_job (id ") +
          (postgres ? "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY" : "INTEGER PRIMARY KEY") +
          ", kind text NOT NULL, queue text NOT NULL DEFAULT 'default', state integer NOT NULL "
          "DEFAULT 0, priority integer NOT NULL DEFAULT 0, attempt integer NOT NULL DEFAULT 0, "
          "arguments text NOT NULL)");
  db->run("CREATE INDEX bare_job_fetch ON bare_job (queue, priority, id) WHERE state = 0");

  auto begin = Clock::now();
  enqueue(*db, count);
  if (work == "drain") {
    begin = Clock::now();
    drain(*db, postgres);
  }
  const double took = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("{\"per_s\":%.0f}\n", static_cast<double>(count) / took);
}
