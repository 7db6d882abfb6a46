// One statement: parameters, rows, and what each kind of failure is told.
#include <limits>

#include "aegis/core/log.h"
#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;
using namespace std::chrono_literals;

namespace {

std::pair<Errc, std::string> failure(Fixture& db, std::string_view sql,
                                     std::vector<Cell> values = {}) {
  return error_of([&] { db.execute(sql, std::move(values)); });
}

Cell integer(std::int64_t value) {
  return value;
}
Cell text(std::string_view value) {
  return value;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL, x TEXT, b BLOB) STRICT");
  const std::string bytes("a\0b", 3);
  const auto outcome = db.execute("INSERT INTO t (i, r, x, b) VALUES ($1, $2, $3, $4)",
                                  {integer(7), 2.5, text("text"), std::as_bytes(std::span(bytes))});
  BOOST_TEST(outcome.affected == 1);
  BOOST_TEST(outcome.last_insert_id == 1);
  const Rows rows = db.query("SELECT i, r, x, b, NULL AS n FROM t");
  BOOST_REQUIRE_EQUAL(rows.rows.size(), 1U);
  BOOST_TEST(rows.names[4] == "n");
  BOOST_TEST(rows.rows[0][0] == "7");
  BOOST_TEST(rows.rows[0][2] == "text");
  BOOST_TEST(rows.rows[0][3] == bytes);
  BOOST_TEST(rows.rows[0][4] == "NULL");
}

BOOST_AUTO_TEST_CASE(empty_text_and_empty_bytes_are_not_null) {
  Fixture db;
  const Rows rows = db.query("SELECT typeof($1), typeof($2), typeof($3), $4",
                             {std::string_view{}, std::span<const std::byte>{}, Cell{}, true});
  BOOST_TEST(rows.rows[0][0] == "text");
  BOOST_TEST(rows.rows[0][1] == "blob");
  BOOST_TEST(rows.rows[0][2] == "null");
  BOOST_TEST(rows.rows[0][3] == "1");
}

BOOST_AUTO_TEST_CASE(a_moment_is_stored_as_text) {
  Fixture db;
  const Timestamp moment{1'700'000'000'123'456us};
  BOOST_TEST(db.query("SELECT $1", {moment}).first() == "2023-11-14T22:13:20.123456Z");
}

BOOST_AUTO_TEST_CASE(parameters_go_by_number) {
  Fixture db;
  BOOST_TEST(db.query("SELECT $2 || $1 || $2 || $3", {text("a"), text("b"), text("c")}).first() ==
             "babc");
  for (int i = 0; i < 2; ++i) {  // the second time from the cache
    BOOST_TEST(db.query("SELECT $1", {integer(i)}).first() == std::to_string(i));
  }
}

BOOST_AUTO_TEST_CASE(parameters_and_values_must_match) {
  Fixture db;
  const auto told = [&](std::string_view sql, std::vector<Cell> values) {
    return error_of([&] { db.query(sql, std::move(values)); }).second;
  };
  BOOST_TEST(contains(told("SELECT $1, $2", {integer(1)}), "2 parameters but 1 values"));
  BOOST_TEST(contains(told("SELECT $1", {integer(1), integer(2)}), "1 parameters but 2 values"));
  BOOST_TEST(contains(told("SELECT $2", {integer(1)}), "without a gap"));
  BOOST_TEST(contains(told("SELECT ?", {integer(1)}), "$1, $2"));
  BOOST_TEST(contains(told("SELECT :name", {integer(1)}), "not :name"));
}

BOOST_AUTO_TEST_CASE(one_statement_at_a_time) {
  Fixture db;
  BOOST_TEST(db.query("SELECT 1; -- a comment\n ;").first() == "1");
  BOOST_TEST(contains(error_of([&] { db.query("SELECT 1; SELECT 2"); }).second, "more than one"));
  BOOST_TEST(contains(error_of([&] { db.query(" -- nothing"); }).second, "empty"));
  const std::string zero("SELECT 1\0 x", 11);
  BOOST_TEST(contains(error_of([&] { db.query(zero); }).second, "more than one"));
}

BOOST_AUTO_TEST_CASE(transactions_are_the_sessions_own) {
  Fixture db;
  for (const char* sql : {"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a", "RELEASE session",
                          "ATTACH 'other.db' AS other", "DETACH main"}) {
    const auto [code, told] = failure(db, sql);
    BOOST_TEST(contains(told, "not for a session to run"), sql << ": " << told);
  }
}

BOOST_AUTO_TEST_CASE(changes_are_counted) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
  BOOST_TEST(db.execute("INSERT INTO t (v) VALUES (1), (2), (3)").affected == 3);
  BOOST_TEST(db.execute("UPDATE t SET v = 9 WHERE v > 1").affected == 2);
  BOOST_TEST(db.execute("DELETE FROM t WHERE v = 5").affected == 0);
  BOOST_TEST(db.execute("CREATE INDEX i ON t (v)").affected == 0);
}

BOOST_AUTO_TEST_CASE(a_write_may_return_rows) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
  Rows rows;
  auto body = [&](Link& link) -> awaitable<void> {
    const Statement statement{"INSERT INTO t (v) VALUES (7), (8) RETURNING id, v", {}, true};
    co_await link.run(statement, rows);
  };
  wait(db.session(body));
  BOOST_REQUIRE_EQUAL(rows.rows.size(), 2U);
  BOOST_TEST(rows.rows[1][1] == "8");
}

BOOST_AUTO_TEST_CASE(a_write_that_was_taken_for_a_read_is_a_write) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  const auto link = db.open();
  BOOST_TEST(wait(read(*link, "INSERT INTO t DEFAULT VALUES RETURNING id")).first() == "1");
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "0");
  wait(link->commit());
  BOOST_TEST(db.query("SELECT count(*) FROM t").first() == "1");
}

BOOST_AUTO_TEST_CASE(a_reading_session_refuses_to_write) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  const auto link = db.open({.read_only = true});
  BOOST_TEST(
      contains(error_of([&] { wait(write(*link, "DELETE FROM t")); }).second, "for reading only"));
  BOOST_TEST(
      contains(error_of([&] { wait(read(*link, "DELETE FROM t")); }).second, "for reading only"));
}

BOOST_AUTO_TEST_CASE(a_changed_table_is_seen_with_its_new_columns) {
  Fixture db;
  db.execute("CREATE TABLE t (a INTEGER)");
  db.execute("INSERT INTO t VALUES (1)");
  BOOST_TEST(db.query("SELECT * FROM t").names.size() == 1U);
  db.execute("ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 2");
  const Rows rows = db.query("SELECT * FROM t");
  BOOST_REQUIRE_EQUAL(rows.names.size(), 2U);
  BOOST_TEST(rows.names[1] == "b");
  BOOST_TEST(rows.rows[0][1] == "2");
}

BOOST_AUTO_TEST_CASE(like_tells_upper_from_lower_case) {
  Fixture db;
  BOOST_TEST(db.query("SELECT 'Shield' LIKE 's%'").first() == "0");
  BOOST_TEST(db.query("SELECT 'Shield' LIKE 'S%'").first() == "1");
}

BOOST_AUTO_TEST_CASE(double_quotes_never_make_a_text) {
  Fixture db;
  BOOST_TEST(contains(error_of([&] { db.query("SELECT \"oops\""); }).second, "oops"));
}

BOOST_AUTO_TEST_CASE(broken_rules_are_told_by_column) {
  Fixture db;
  db.execute("CREATE TABLE owner (id INTEGER PRIMARY KEY)");
  db.execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, a INTEGER, b INTEGER, "
      "owner INTEGER REFERENCES owner (id), rating INTEGER CHECK (rating <= 100), "
      "UNIQUE (a, b)) STRICT");
  db.execute("INSERT INTO t (name, a, b) VALUES ('x', 1, 1)");

  const auto expect = [&](std::string_view sql, Errc code, std::string_view told) {
    const auto [found, message] = failure(db, sql);
    BOOST_TEST((found == code), sql << ": " << to_string(found));
    BOOST_TEST(contains(message, told), message);
  };
  expect("INSERT INTO t (name) VALUES ('x')", Errc::conflict,
         "t.name: this value is already taken");
  expect("INSERT INTO t (id, name) VALUES (1, 'y')", Errc::conflict,
         "t.id: this value is already taken");
  expect("INSERT INTO t (name, a, b) VALUES ('y', 1, 1)", Errc::conflict,
         "t.a, t.b: these values together are already taken");
  expect("INSERT INTO t (name, owner) VALUES ('y', 5)", Errc::conflict, "foreign key");
  expect("INSERT INTO t (name) VALUES (NULL)", Errc::invalid, "t.name: a value is required");
  expect("INSERT INTO t (name, rating) VALUES ('y', 101)", Errc::invalid, "rating <= 100");
  expect("INSERT INTO t (name, rating) VALUES ('y', 'high')", Errc::invalid, "t.rating");
  expect("INSERT INTO absent VALUES (1)", Errc::internal, "no such table: absent");
  expect("SELEC 1", Errc::internal, "syntax error");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST((failure(db, "INSERT INTO t (rating) VALUES ($1)", {nan}).first == Errc::invalid));
}

BOOST_AUTO_TEST_CASE(what_a_sink_throws_reaches_the_coroutine) {
  struct Full final : RowSink {
    void columns(std::span<const std::string_view>) override {}
    void row(std::span<const Cell>) override { throw Error(Errc::too_large, "enough"); }
    void restart() override {}
  };
  Fixture db;
  const auto link = db.open();
  Full full;
  const Statement statement{"SELECT 1", {}, false};
  BOOST_TEST((error_of([&] { wait(link->run(statement, full)); }).first == Errc::too_large));
  BOOST_TEST(wait(read(*link, "SELECT 1")).first() == "1");
}

BOOST_AUTO_TEST_CASE(more_statements_than_the_cache_keeps) {
  Fixture db({{"statement_cache", "4"}});
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20; ++i) {
      BOOST_TEST(db.query("SELECT " + std::to_string(i)).first() == std::to_string(i));
    }
  }
}

BOOST_AUTO_TEST_CASE(echo_shows_statements_but_no_values) {
  const log::Capture capture;
  Fixture db({}, {.echo = true});
  db.execute("CREATE TABLE t (v TEXT)");
  db.execute("INSERT INTO t VALUES ($1)", {text("a secret")});
  BOOST_TEST(capture.contains("INSERT INTO t VALUES ($1)"));
  BOOST_TEST(capture.contains("COMMIT"));
  BOOST_TEST(!capture.contains("a secret"));
}
