// The SQL text of builders, models and rows, as SQLite gets it.
#include <sqlite3.h>

#include <boost/test/unit_test.hpp>

#include "aegis/core/error.h"
#include "db/condition.h"
#include "db/schema.h"
#include "db/sqlite/dialect.h"
#include "models.h"

using namespace aegis;
using db::Query, db::Sql;

namespace {

const db::Dialect& dialect = db::sqlite::dialect();
constexpr auto S = Shield::col;

const std::string columns = "id, name, defense_rating, material, enchantment";

Query shields(Condition where = {}) {
  return {.table = &table_of<Shield>(), .where = std::move(where)};
}

/// The text after WHERE.
std::string where(Condition condition) {
  const std::string text = dialect.count(shields(std::move(condition))).text;
  const std::string before = "SELECT count(*) FROM shield";
  BOOST_REQUIRE(text.starts_with(before));
  return text.size() == before.size() ? "" : text.substr(before.size() + 7);
}

std::string select(std::vector<Order> order, std::vector<Value> after) {
  Query query = shields();
  query.order = std::move(order);
  query.after = std::move(after);
  const std::string text = dialect.select(query).text;
  return text.substr(text.find("WHERE"));
}

}  // namespace

BOOST_AUTO_TEST_CASE(conditions_read_as_a_person_writes_them) {
  BOOST_TEST(where({}) == "");
  BOOST_TEST(where(S.name == "a") == "name = $1");
  BOOST_TEST(where(S.defense_rating >= 3 && S.defense_rating < 9 && S.name != "x") ==
             "defense_rating >= $1 AND defense_rating < $2 AND name <> $3");
  BOOST_TEST(where((S.name == "a" || S.name == "b") && S.id > 3) ==
             "(name = $1 OR name = $2) AND id > $3");
  BOOST_TEST(where(S.name == "a" || (S.name == "b" && S.id <= 3) || S.id == 9) ==
             "name = $1 OR name = $2 AND id <= $3 OR id = $4");
  BOOST_TEST(where(S.enchantment == std::nullopt) == "enchantment IS NULL");
  BOOST_TEST(where(S.enchantment != std::nullopt) == "enchantment IS NOT NULL");
  BOOST_TEST(where(S.material.like("i%")) == "material LIKE $1 ESCAPE '\\'");
  const std::vector<std::string> materials{"iron", "oak"};
  BOOST_TEST(where(S.material.in(materials)) == "material IN ($1, $2)");
}

BOOST_AUTO_TEST_CASE(conditions_with_null_and_their_opposites) {
  BOOST_TEST(where(S.enchantment != "fire") == "enchantment IS DISTINCT FROM $1");
  BOOST_TEST(where(!(S.enchantment == "fire")) == "enchantment IS DISTINCT FROM $1");
  BOOST_TEST(where(!(S.id == 3)) == "id <> $1");
  BOOST_TEST(where(!S.enchantment.is_null()) == "enchantment IS NOT NULL");
  BOOST_TEST(where(!(S.name < "a")) == "NOT name < $1");
  BOOST_TEST(where(!(S.name < "a" || S.id == 2)) == "NOT (name < $1 OR id = $2)");
  BOOST_TEST(where(!(S.enchantment > "a")) == "(enchantment > $1) IS NOT TRUE");
  BOOST_TEST(where(!!(S.name < "a")) == "name < $1");
}

BOOST_AUTO_TEST_CASE(conditions_that_always_or_never_hold) {
  BOOST_TEST(where(Condition{} && S.id == 1) == "id = $1");
  BOOST_TEST(where(S.id == 1 && Condition{}) == "id = $1");
  BOOST_TEST(where(S.id == 1 || Condition{}) == "");
  BOOST_TEST(where(!Condition{}) == "FALSE");
  BOOST_TEST(where(!!Condition{}) == "");
  BOOST_TEST(where(S.material.in({})) == "FALSE");
  BOOST_TEST(where(!S.material.in({}) && S.id == 1) == "NOT FALSE AND id = $1");
}

BOOST_AUTO_TEST_CASE(a_condition_is_a_value) {
  const Condition cheap = S.defense_rating < 5;
  const Condition both = cheap && S.name == "a";
  const Condition more = both && S.id == 1;
  BOOST_TEST(where(cheap) == "defense_rating < $1");
  BOOST_TEST(where(both) == "defense_rating < $1 AND name = $2");
  BOOST_TEST(where(more || cheap) ==
             "defense_rating < $1 AND name = $2 AND id = $3 OR defense_rating < $4");
}

BOOST_AUTO_TEST_CASE(a_condition_on_another_table_is_refused) {
  BOOST_CHECK_EXCEPTION(where(Guild::col.name == "x"), Error, [](const Error& error) {
    return std::string(error.what()).find("Guild::name") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(statements_of_the_builders) {
  Query query = shields(S.id > 1);
  query.order = {S.enchantment.desc(), S.material.asc(), S.enchantment.asc(), S.id.desc()};
  query.limit = 10;
  query.offset = 20;
  BOOST_TEST(dialect.select(query).text ==
             "SELECT " + columns +
                 " FROM shield WHERE id > $1 ORDER BY enchantment DESC NULLS LAST, material, "
                 "enchantment NULLS FIRST, id DESC LIMIT $2 OFFSET $3");
  BOOST_TEST(dialect.exists(query).text == "SELECT EXISTS (SELECT 1 FROM shield WHERE id > $1)");
  query.set = {{"name", std::string("new")}, {"enchantment", Value{}}};
  BOOST_TEST(dialect.update(query, false).text ==
             "UPDATE shield SET name = $1, enchantment = $2 WHERE id > $3");
  BOOST_TEST(dialect.remove(query, true).text ==
             "DELETE FROM shield WHERE id > $1 RETURNING " + columns);
  Query skipping = shields();
  skipping.offset = 5;
  BOOST_TEST(dialect.select(skipping).text ==
             "SELECT " + columns + " FROM shield LIMIT $1 OFFSET $2");
  BOOST_CHECK_THROW(dialect.update(shields(), false), Error);
}

BOOST_AUTO_TEST_CASE(rows_after_a_row) {
  const Value id = std::int64_t{7};
  const auto text = [](std::string_view value) { return Value(std::string(value)); };
  BOOST_TEST(select({S.id.asc()}, {id}) == "WHERE id > $1 ORDER BY id");
  BOOST_TEST(select({S.name.desc(), S.id.desc()}, {text("a"), id}) ==
             "WHERE (name, id) < ($1, $2) ORDER BY name DESC, id DESC");
  BOOST_TEST(select({S.material.desc(), S.id.asc()}, {text("a"), id}) ==
             "WHERE material <= $1 AND (material < $1 OR material = $1 AND id > $2) "
             "ORDER BY material DESC, id");
  // NULL comes first in ascending order …
  BOOST_TEST(select({S.enchantment.asc(), S.id.asc()}, {Value{}, id}) ==
             "WHERE (enchantment IS NOT NULL OR enchantment IS NULL AND id > $1) "
             "ORDER BY enchantment NULLS FIRST, id");
  BOOST_TEST(select({S.enchantment.asc(), S.id.asc()}, {text("a"), id}) ==
             "WHERE enchantment >= $1 AND (enchantment > $1 OR enchantment = $1 AND id > $2) "
             "ORDER BY enchantment NULLS FIRST, id");
  // … and last in descending.
  BOOST_TEST(select({S.enchantment.desc(), S.id.desc()}, {Value{}, id}) ==
             "WHERE (enchantment IS NULL AND id < $1) "
             "ORDER BY enchantment DESC NULLS LAST, id DESC");
  BOOST_TEST(select({S.enchantment.desc(), S.id.desc()}, {text("a"), id}) ==
             "WHERE ((enchantment < $1 OR enchantment IS NULL) OR enchantment = $1 AND id < $2) "
             "ORDER BY enchantment DESC NULLS LAST, id DESC");
}

BOOST_AUTO_TEST_CASE(statements_on_one_row) {
  const auto& of_shield = dialect.row_statements(table_of<Shield>());
  BOOST_TEST(of_shield.get == "SELECT " + columns + " FROM shield WHERE id = $1");
  BOOST_TEST(of_shield.insert ==
             "INSERT INTO shield (name, defense_rating, material, enchantment) "
             "VALUES ($1, $2, $3, $4)");
  BOOST_TEST(of_shield.insert_with_key ==
             "INSERT INTO shield (" + columns + ") VALUES ($1, $2, $3, $4, $5)");
  BOOST_TEST(of_shield.update ==
             "UPDATE shield SET name = $1, defense_rating = $2, material = $3, enchantment = $4 "
             "WHERE id = $5");
  BOOST_TEST(of_shield.erase == "DELETE FROM shield WHERE id = $1");
  BOOST_TEST(of_shield.upsert[1].insert ==
             "INSERT INTO shield (name, defense_rating, material, enchantment) "
             "VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET "
             "defense_rating = excluded.defense_rating, material = excluded.material, "
             "enchantment = excluded.enchantment RETURNING id");
  BOOST_TEST(of_shield.upsert[2].insert == "");  // not unique
  BOOST_TEST(&dialect.row_statements(table_of<Shield>()) == &of_shield);

  BOOST_TEST(dialect.row_statements(table_of<Word>()).update ==
             "UPDATE \"select\" SET \"order\" = \"order\" WHERE \"order\" = $1");
  BOOST_TEST(dialect.row_statements(table_of<Ticket>()).insert ==
             "INSERT INTO ticket DEFAULT VALUES");
  BOOST_TEST(dialect.insert_many(table_of<Guild>(), 2, true) ==
             "INSERT INTO guild (id, name) VALUES ($1, $2), ($3, $4)");
  BOOST_TEST(dialect.insert_many(table_of<Guild>(), 2, false) ==
             "INSERT INTO guild (name) VALUES ($1), ($2) RETURNING id");
}

BOOST_AUTO_TEST_CASE(values_never_reach_the_text) {
  const std::string evil = "x'); DROP TABLE shield; --\0\"$1";
  const std::vector<std::string> evils{evil, evil + "2"};
  Query query = shields(S.name == evil && !(S.material != evil) && S.enchantment.like(evil) &&
                        (S.name.in(evils) || S.name > evil));
  query.order = {S.enchantment.desc(), S.name.asc()};
  query.after = {evil, evil};
  query.set = {{"name", evil}};
  for (const Sql& sql : {dialect.select(query), dialect.count(query), dialect.exists(query),
                         dialect.update(query, true), dialect.remove(query, true)}) {
    BOOST_TEST(sql.text.find("DROP") == std::string::npos, sql.text);
    BOOST_TEST(sql.text.find('\'') == sql.text.find("'\\'"), sql.text);  // ESCAPE's alone
    // Every value is a parameter, and every parameter has its value.
    const auto last = "$" + std::to_string(sql.values.size());
    BOOST_TEST(sql.text.find(last) != std::string::npos, sql.text);
    const auto one_more = "$" + std::to_string(sql.values.size() + 1);
    BOOST_TEST(sql.text.find(one_more) == std::string::npos, sql.text);
  }
}

BOOST_AUTO_TEST_CASE(names_are_quoted_only_when_needed) {
  BOOST_TEST(db::identifier("defense_rating") == "defense_rating");
  BOOST_TEST(db::identifier("key") == "key");
  BOOST_TEST(db::identifier("order") == "\"order\"");
  BOOST_TEST(db::identifier("Name") == "\"Name\"");
  BOOST_TEST(db::identifier("2fast") == "\"2fast\"");
  BOOST_TEST(db::identifier("a \"b\"") == "\"a \"\"b\"\"\"");
  BOOST_TEST(db::identifier("größe") == "\"größe\"");
}

BOOST_AUTO_TEST_CASE(every_word_that_sqlite_knows_can_be_a_name) {
  sqlite3* connection = nullptr;
  BOOST_REQUIRE_EQUAL(sqlite3_open(":memory:", &connection), SQLITE_OK);
  for (int i = 0; i < sqlite3_keyword_count(); ++i) {
    const char* begin = nullptr;
    int size = 0;
    sqlite3_keyword_name(i, &begin, &size);
    std::string word(begin, static_cast<std::size_t>(size));
    for (char& c : word) c = static_cast<char>(std::tolower(c));
    const std::string name = db::identifier(word);
    for (const std::string& sql :
         {"CREATE TABLE " + name + " (" + name + " INTEGER, UNIQUE (" + name + "))",
          "SELECT " + name + " FROM " + name + " WHERE " + name + " = $1 ORDER BY " + name,
          "INSERT INTO " + name + " (" + name + ") VALUES ($1) ON CONFLICT (" + name +
              ") DO UPDATE SET " + name + " = excluded." + name + " RETURNING " + name,
          "DROP TABLE " + name}) {
      char* message = nullptr;
      BOOST_TEST(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK,
                 sql << ": " << (message ? message : ""));
      sqlite3_free(message);
    }
  }
  sqlite3_close(connection);
}
