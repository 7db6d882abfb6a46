// Values on their way to the server and back, for the types that a schema made elsewhere may have.
#include <cmath>

#include "fixture.h"

using namespace aegis;
using namespace aegis::db::postgres::test;

namespace {

awaitable<std::string> refusal(Database& database, std::string sql) {
  auto work = [](Database& in, std::string text) -> awaitable<void> {
    co_await one<std::string>(in, text);
  };
  co_return (co_await error_of(work(database, std::move(sql)))).second;
}

}  // namespace

BOOST_AUTO_TEST_CASE(integers_reals_and_numerics) {
  Fixture f;
  const auto work = [](Database& db) -> awaitable<void> {
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT (-32768)::int2") == -32768);
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT (-2147483648)::int4") == -2147483648LL);
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT (-9223372036854775808)::int8") ==
               std::numeric_limits<std::int64_t>::min());
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT 4294967295::oid") == 4294967295LL);
    BOOST_TEST(co_await one<double>(db, "SELECT 1.5::float4") == 1.5);
    BOOST_TEST(std::isnan(co_await one<double>(db, "SELECT 'NaN'::float8")));
  };
  const auto numerics = [](Database& db) -> awaitable<void> {
    for (const auto& [text, value] : std::map<std::string, std::int64_t>{
             {"0", 0},
             {"-1", -1},
             {"10000", 10000},
             {"123456789", 123456789},
             {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
             {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
             {"1000000000000000000", 1'000'000'000'000'000'000}}) {
      BOOST_TEST(co_await one<std::int64_t>(db, "SELECT " + text + "::numeric") == value);
    }
    for (const char* text : {"0.1", "-12345.678901", "1e-20", "123456789012345678901234567890",
                             "9223372036854775808", "0.00010001", "100000000.5", "3.0"}) {
      BOOST_TEST(co_await one<double>(db, std::string("SELECT ") + text + "::numeric") ==
                 std::strtod(text, nullptr));
    }
    BOOST_TEST(std::isnan(co_await one<double>(db, "SELECT 'NaN'::numeric")));
    BOOST_TEST(std::isinf(co_await one<double>(db, "SELECT '-Infinity'::numeric")));
  };
  f.wait(work(*f.database));
  f.wait(numerics(*f.database));
}

BOOST_AUTO_TEST_CASE(texts_of_all_kinds) {
  Fixture f;
  f.execute("CREATE TYPE mood AS ENUM ('calm', 'wild')");
  const auto work = [](Database& db) -> awaitable<void> {
    for (const char* sql : {"SELECT 'a'::varchar", "SELECT 'a'::char(1)", "SELECT 'a'::name",
                            "SELECT 'a'::\"char\"", "SELECT 'a'", "SELECT 'a'::xml::text"}) {
      BOOST_TEST(co_await one<std::string>(db, sql) == "a", sql);
    }
    BOOST_TEST(co_await one<std::string>(db, "SELECT '{\"a\": 1}'::json") == "{\"a\": 1}");
    BOOST_TEST(co_await one<std::string>(db, "SELECT '{\"a\":1}'::jsonb") == "{\"a\": 1}");
    BOOST_TEST(
        co_await one<std::string>(db, "SELECT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid") ==
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    BOOST_TEST(co_await one<std::string>(db, "SELECT 'wild'::mood") == "wild");
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(text_parameters_are_what_the_column_is) {
  Fixture f;
  f.execute("CREATE TYPE mood AS ENUM ('calm', 'wild')");
  f.execute("CREATE TABLE t (u uuid, j jsonb, m mood, d date, n numeric, v varchar(3))");
  const auto work = [](Database& db) -> awaitable<void> {
    co_await db.session([](Session& s) -> awaitable<void> {
      co_await s.execute("INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6)",
                         "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "[1]", "calm", "2026-11-21",
                         "1.50", "abc");
    });
    co_await db.read([](Session& s) -> awaitable<void> {
      const auto found = co_await s.query<std::string>(
          "SELECT concat_ws(' ', j, m, d, n, v) FROM t WHERE u = $1 AND m = $2",
          "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "calm");
      BOOST_TEST(found.at(0) == "[1] calm 2026-11-21 1.50 abc");
    });
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(times) {
  Fixture f;
  const auto work = [](Database& db) -> awaitable<void> {
    for (const char* sql : {"SELECT '2026-11-21 12:30:00.000001+02'::timestamptz",
                            "SELECT '2026-11-21 10:30:00.000001'::timestamp"}) {
      BOOST_TEST(to_string(co_await one<Timestamp>(db, sql)) == "2026-11-21T10:30:00.000001Z");
    }
    BOOST_TEST(to_string(co_await one<Timestamp>(db, "SELECT '1969-12-31'::date")) ==
               "1969-12-31T00:00:00.000000Z");
    const auto infinite = [](Database& in) -> awaitable<void> {
      co_await one<Timestamp>(in, "SELECT 'infinity'::timestamptz AS until");
    };
    BOOST_TEST((co_await error_of(infinite(db))).second ==
               "Column until holds a time that is infinite or too far away.");
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(types_without_a_counterpart_are_named) {
  Fixture f;
  f.execute("CREATE TYPE pair AS (a int, b int)");
  f.execute("CREATE EXTENSION ltree");
  f.execute("CREATE EXTENSION citext");
  const auto work = [](Database& db) -> awaitable<void> {
    BOOST_TEST(co_await refusal(db, "SELECT '1 day'::interval AS span") ==
               "Column span is of the type interval, which has no C++ type here; cast it in the "
               "SQL, e.g. to text: span::text AS span.");
    BOOST_TEST(contains(co_await refusal(db, "SELECT ARRAY[1,2] AS list"), "type integer[]"));
    BOOST_TEST(contains(co_await refusal(db, "SELECT ROW(1,2)::pair AS both"), "::regtype"));
    BOOST_TEST(contains(co_await refusal(db, "SELECT 'Top.Science'::ltree AS path"),
                        "cast it in the SQL, e.g. to text: path::text AS path"));
    BOOST_TEST(contains(co_await refusal(db, "SELECT 'Top.*'::lquery AS path"), "path::text"));
    BOOST_TEST(co_await one<std::string>(db, "SELECT E'\\n\\t盾'::citext") == "\n\t盾");
    BOOST_TEST(co_await one<std::string>(db, "SELECT ('1 day'::interval)::text") == "1 day");
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(a_text_with_a_zero_byte_is_refused_before_it_is_sent) {
  Fixture f;
  f.execute("CREATE TABLE t (v text)");
  const auto work = [](Database& db) -> awaitable<void> {
    const auto insert = [](Database& in) -> awaitable<void> {
      co_await in.session([](Session& s) -> awaitable<void> {
        co_await s.execute("INSERT INTO t VALUES ($1)", std::string("a\0b", 3));
      });
    };
    const auto [code, message] = co_await error_of(insert(db));
    BOOST_TEST((code == Errc::invalid));
    BOOST_TEST(message ==
               "The value of $1 has a zero byte (U+0000), which PostgreSQL cannot store in text.");
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT count(*) FROM t") == 0);
    co_await execute(db, "INSERT INTO t VALUES ('fine')");
  };
  f.wait(work(*f.database));
}

BOOST_AUTO_TEST_CASE(nulls_and_values_of_one_parameter_in_any_order) {
  Fixture f;
  f.execute("CREATE TABLE t (a bigint, b text, c double precision)");
  const auto work = [](Database& db) -> awaitable<void> {
    co_await db.session([](Session& s) -> awaitable<void> {
      const std::string sql = "INSERT INTO t VALUES ($1, $2, $3)";
      co_await s.execute(sql, std::nullopt, std::nullopt, std::nullopt);
      co_await s.execute(sql, 1, std::nullopt, 0.5);
      co_await s.execute(sql, std::nullopt, "x", std::nullopt);
      co_await s.execute(sql, 2, "y", 1.5);
      co_await s.execute(sql, "3", "z", "2.5");
    });
    BOOST_TEST(co_await one<std::int64_t>(db, "SELECT sum(a) FROM t") == 6);
    BOOST_TEST(co_await one<double>(db, "SELECT sum(c) FROM t") == 4.5);
  };
  f.wait(work(*f.database));
}
