#include "fixture.h"

using namespace aegis;
using namespace aegis::db;
using namespace aegis::db::sqlite::test;

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  Fixture db;
  db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL, x TEXT, b BLOB) STRICT");
  const std::string bytes("a\0b", 3);
  const auto outcome =
      db.execute("INSERT INTO t (i, r, x, b) VALUES ($1, $2, $3, $4)",
                 {std::int64_t{7}, 2.5, std::string_view("text"), std::as_bytes(std::span(bytes))});
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
