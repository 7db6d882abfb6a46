// What the words of raw SQL tell.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "aegis/core/error.h"
#include "db/sql_text.h"

using aegis::Errc, aegis::Error;

BOOST_DATA_TEST_CASE(what_only_reads,
                     boost::unit_test::data::make<std::string>({
                         "SELECT 1",
                         "  select 'insert into x' AS \"delete\", [update], `merge` FROM t;",
                         "-- insert\n/* delete; */ SELECT 1 -- update",
                         "SELECT 'it''s; DELETE' ; ; -- the end",
                         "SELECT updated, inserted_at, into_x FROM t",
                         "SELECT replace(name, 'a', 'b') FROM t",
                         "VALUES (1), (2)",
                         "WITH a AS (SELECT 1) SELECT * FROM a",
                         "EXPLAIN QUERY PLAN SELECT 1",
                         "PRAGMA table_info(shield)",
                         "SELECT $1, $2 FROM t WHERE a = $3",
                         "SELECT $$ update; $$, $q$ it's; delete $q$",
                         "SELECT 'never closed insert",
                         "SELECT E'it\\'s; update ', e'\\\\'",
                         "SELECT 'a\\' AS b -- in SQLite, and in PostgreSQL, this ends there",
                         "/* /* delete */ update */ SELECT 1",
                         "SELECT ARRAY['];delete'], a['insert into'], b$update FROM t",
                     })) {
  BOOST_TEST(!aegis::db::writes(sample));
}

BOOST_DATA_TEST_CASE(what_writes, boost::unit_test::data::make<std::string>({
                                      "INSERT INTO t VALUES (1)",
                                      "/* SELECT */ update t SET a = 1;",
                                      "SELECT pg_advisory_lock(1)",
                                      "select nextval('shield_id_seq')",
                                      "Delete FROM t",
                                      "CREATE TABLE t (a)",
                                      "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
                                      "WITH gone AS (DELETE FROM t RETURNING a) SELECT a FROM gone",
                                      "EXPLAIN ANALYZE UPDATE t SET a = 1",
                                      "SELECT * FROM t FOR UPDATE",
                                      "SELECT a INTO b FROM t",
                                      "PRAGMA user_version = 3",
                                      "VACUUM",
                                      "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END",
                                      "WITH a AS (SELECT E'\\'') DELETE FROM t",
                                      "WITH a AS (SELECT '\\') DELETE FROM t",
                                  })) {
  BOOST_TEST(aegis::db::writes(sample));
}

BOOST_DATA_TEST_CASE(what_would_reach_other_sessions,
                     boost::unit_test::data::make<std::string>({
                         "SET work_mem = '1GB'",
                         "/* LOCAL */ set session work_mem = '1GB'",
                         "SET ROLE postgres",
                         "RESET ALL",
                         "LISTEN channel",
                     })) {
  BOOST_CHECK_EXCEPTION(aegis::db::refuse_settings(sample), Error,
                        [](const Error& error) { return error.code() == Errc::internal; });
}

BOOST_DATA_TEST_CASE(what_ends_with_the_transaction,
                     boost::unit_test::data::make<std::string>({
                         "SET LOCAL work_mem = '1GB'",
                         "set transaction ISOLATION LEVEL SERIALIZABLE",
                         "SET CONSTRAINTS ALL DEFERRED",
                         "UPDATE t SET session = 1",
                         "SELECT 1",
                     })) {
  BOOST_CHECK_NO_THROW(aegis::db::refuse_settings(sample));
}

BOOST_DATA_TEST_CASE(what_is_refused, boost::unit_test::data::make<std::string>({
                                          "",
                                          " \n-- nothing",
                                          ";",
                                          "SELECT 1; SELECT 2",
                                          "SELECT 1;;DROP TABLE t",
                                          "INSERT INTO t VALUES (';'); DELETE FROM t",
                                          "BEGIN",
                                          "begin immediate",
                                          "COMMIT;",
                                          "END",
                                          "ROLLBACK",
                                          "ROLLBACK TO a",
                                          "SAVEPOINT a",
                                          "RELEASE a",
                                          "START TRANSACTION",
                                      })) {
  BOOST_CHECK_EXCEPTION(aegis::db::writes(sample), Error,
                        [](const Error& error) { return error.code() == Errc::internal; });
}

namespace {
/// The statements of a script, one a line.
std::string statements(std::string_view sql) {
  std::string text;
  for (const auto statement : aegis::db::split_statements(sql))
    text += std::string(statement) + "\n";
  return text;
}
}  // namespace

BOOST_AUTO_TEST_CASE(a_script_is_split_into_statements) {
  BOOST_TEST(statements("") == "");
  BOOST_TEST(statements(" ; ;-- a;b\n") == "");
  BOOST_TEST(statements("SELECT 1") == "SELECT 1\n");
  BOOST_TEST(statements("-- one;\nSELECT 1; -- two\n /* ; */ SELECT ';' ;; SELECT $a$;$a$; ") ==
             "SELECT 1\nSELECT ';'\nSELECT $a$;$a$\n");
  BOOST_TEST(statements(R"(SELECT E'\';'; SELECT "a;b", [c;d]; SELECT 2)") ==
             "SELECT E'\\';'\nSELECT \"a;b\", [c;d]\nSELECT 2\n");
}

BOOST_AUTO_TEST_CASE(the_semicolons_of_a_body_are_its_own) {
  const std::string trigger =
      "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n"
      "  UPDATE b SET n = CASE WHEN new.n > 0 THEN 1 ELSE 2 END;\n"
      "  DELETE FROM c;\n"
      "END";
  BOOST_TEST(statements(trigger + "; SELECT 1;") == trigger + "\nSELECT 1\n");
  const std::string function =
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END";
  BOOST_TEST(statements(function + ";SELECT 1") == function + "\nSELECT 1\n");
  const std::string rule = "CREATE RULE r AS ON INSERT TO a DO (DELETE FROM b; DELETE FROM c)";
  BOOST_TEST(statements(rule + ";SELECT 1") == rule + "\nSELECT 1\n");
  BOOST_TEST(statements("CREATE TABLE a (begin TEXT); SELECT 1") ==
             "CREATE TABLE a (begin TEXT)\nSELECT 1\n");
  BOOST_TEST(statements("SELECT CASE a WHEN 1 THEN 2 END; SELECT 1") ==
             "SELECT CASE a WHEN 1 THEN 2 END\nSELECT 1\n");
}
