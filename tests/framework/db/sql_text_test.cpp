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
                     })) {
  BOOST_TEST(!aegis::db::writes(sample));
}

BOOST_DATA_TEST_CASE(what_writes, boost::unit_test::data::make<std::string>({
                                      "INSERT INTO t VALUES (1)",
                                      "/* SELECT */ update t SET a = 1;",
                                      "Delete FROM t",
                                      "CREATE TABLE t (a)",
                                      "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
                                      "WITH gone AS (DELETE FROM t RETURNING a) SELECT a FROM gone",
                                      "EXPLAIN ANALYZE UPDATE t SET a = 1",
                                      "SELECT * FROM t FOR UPDATE",
                                      "SELECT a INTO b FROM t",
                                      "PRAGMA user_version = 3",
                                      "VACUUM",
                                  })) {
  BOOST_TEST(aegis::db::writes(sample));
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
