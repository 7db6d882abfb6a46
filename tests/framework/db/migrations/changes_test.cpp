// Every change of a model: its migration keeps the rows and makes what would be created for the new
// models; its way back makes what was.
#include <functional>

#include "ground.h"

namespace {

struct Change {
  std::string name;
  std::function<void(Schema&)> make;
  Intent intent{};
  bool destructive = false;
  /// Of the rows after it: a query and its text.
  std::vector<std::pair<std::string, std::string>> expected{};
};

std::ostream& operator<<(std::ostream& out, const Change& change) {
  return out << change.name;
}

ColumnSchema plain(std::string name, std::string type) {
  return {.name = std::move(name), .type = std::move(type)};
}

void add(Schema& s, std::string_view to, ColumnSchema column) {
  auto& columns = table(s, to).columns;
  columns.insert(columns.begin() + 1, std::move(column));  // where it comes in the struct
}

void add_oath(Schema& s) {
  TableSchema oath{.name = "oath"};
  oath.columns = {{.name = "id", .type = "integer", .primary_key = true, .generated = true},
                  {.name = "shield_id",
                   .type = "integer",
                   .references = {{.table = "shield", .column = "id", .on_delete = "cascade"}}},
                  {.name = "sworn_at", .type = "timestamp"}};
  oath.uniques = {{.name = "oath_once_key", .columns = {"shield_id", "sworn_at"}}};
  oath.indexes = {{.name = "oath_sworn_at_idx", .columns = {"sworn_at"}}};
  s.tables.push_back(oath);
}

void make_rating(Schema& s, std::string type) {
  auto& rating = column(s, "shield", "defense_rating");
  rating.type = std::move(type);
  rating.ge.reset();
  rating.le.reset();
}

// Each entry is a change; those of one kind follow each other.
const std::vector<Change>& changes() {
  static const std::vector<Change> all{
      {"a new table that refers to another", add_oath},
      {"a dropped table",
       [](Schema& s) { std::erase_if(s.tables, [](auto& t) { return t.name == "member"; }); },
       {},
       true},

      {"a new column that may be NULL",
       [](Schema& s) {
         auto colour = plain("colour", "text");
         colour.nullable = true;
         colour.max_length = 20;
         add(s, "shield", colour);
       },
       {},
       false,
       {{"SELECT colour FROM shield WHERE id = 1", "NULL"}}},
      {"a new column with a default, bounds and an index",
       [](Schema& s) {
         auto weight = plain("weight", "integer");
         weight.default_value = "7";
         weight.ge = 1;
         add(s, "shield", weight);
         table(s, "shield").indexes.push_back({"shield_weight_idx", {"weight"}});
       },
       {},
       false,
       {{"SELECT CAST(weight AS TEXT) FROM shield WHERE id = 2", "7"}}},
      {"a new column without a default, filled",
       [](Schema& s) { add(s, "shield", plain("weight", "real")); },
       {.fills = {{"shield.weight", "1.5"}}},
       false,
       {{"SELECT CAST(weight AS TEXT) FROM shield WHERE id = 2", "1.5"}}},
      {"a new column whose old rows get another value than its default",
       [](Schema& s) {
         add(s, "shield", plain("weight", "integer"));
         column(s, "shield", "weight").default_value = "5";
       },
       {.fills = {{"shield.weight", "1"}}},
       false,
       {{"SELECT CAST(weight AS TEXT) FROM shield WHERE id = 2", "1"}}},
      {"a new column that refers to another table",
       [](Schema& s) {
         auto maker = plain("maker_id", "integer");
         maker.nullable = true;
         maker.references = {{.table = "guild", .column = "id", .on_delete = "set_null"}};
         add(s, "shield", maker);
         table(s, "shield").indexes.push_back({"shield_maker_id_idx", {"maker_id"}});
       }},
      {"a new unique column",
       [](Schema& s) {
         auto code = plain("code", "text");
         code.nullable = code.unique = true;
         add(s, "shield", code);
       }},

      {"a dropped column", [](Schema& s) { drop_column(s, "shield", "enchantment"); }, {}, true},
      {"a dropped column with an index",
       [](Schema& s) { drop_column(s, "shield", "material"); },
       {},
       true},
      {"a dropped column that referred to another table",
       [](Schema& s) { drop_column(s, "member", "shield_id"); },
       {},
       true},
      {"a dropped unique column", [](Schema& s) { drop_column(s, "guild", "name"); }, {}, true},

      {"an integer becomes a text",
       [](Schema& s) { make_rating(s, "text"); },
       {},
       false,
       {{"SELECT defense_rating FROM shield WHERE id = 1", "95"}}},
      {"an integer becomes a real",
       [](Schema& s) {
         make_rating(s, "real");
         column(s, "shield", "defense_rating").ge_real = 0;
       },
       {},
       false,
       {{"SELECT name FROM shield WHERE defense_rating > 94.5", "Aegis"}}},
      {"an integer becomes a duration",
       [](Schema& s) {
         column(s, "shield", "defense_rating").type = "duration";
         column(s, "shield", "defense_rating").default_value = "10ms";
       }},
      {"an integer becomes a boolean",
       [](Schema& s) {
         make_rating(s, "boolean");
         column(s, "shield", "defense_rating").default_value = "true";
       },
       {},
       true,
       {{"SELECT name FROM shield WHERE defense_rating AND id = 1", "Aegis"}}},

      {"a column may be NULL now",
       [](Schema& s) { column(s, "shield", "material").nullable = true; }},
      {"a column may no longer be NULL",
       [](Schema& s) {
         column(s, "shield", "enchantment").nullable = false;
         column(s, "shield", "enchantment").default_value = "none";
       },
       {},
       false,
       {{"SELECT enchantment FROM shield WHERE id = 1", "fire"},
        {"SELECT enchantment FROM shield WHERE id = 2", "none"}}},
      {"another default",
       [](Schema& s) { column(s, "shield", "material").default_value = "it's bronze"; }},
      {"no more default", [](Schema& s) { column(s, "shield", "material").default_value.reset(); }},

      {"a unique column", [](Schema& s) { column(s, "shield", "material").unique = true; }},
      {"no more unique column", [](Schema& s) { column(s, "shield", "name").unique = false; }},
      {"another unique group",
       [](Schema& s) {
         table(s, "member").uniques = {{"member_seat_key", {"guild_id", "title", "rank"}}};
       }},
      {"other bounds",
       [](Schema& s) {
         column(s, "shield", "defense_rating").le = 200;
         column(s, "shield", "name").max_length.reset();
         column(s, "shield", "material").one_of = {"gold", "wood", "iron"};
         column(s, "member", "title").one_of.clear();
       }},
      {"a new index and a dropped one",
       [](Schema& s) {
         table(s, "shield").indexes = {{"shield_strong_idx", {"defense_rating", "material"}}};
       }},
      {"another index of the same name",
       [](Schema& s) { table(s, "member").indexes.back().columns = {"rank", "title"}; }},

      {"another end of references",
       [](Schema& s) { column(s, "member", "guild_id").references->on_delete = "restrict"; }},
      {"no more reference", [](Schema& s) { column(s, "member", "guild_id").references.reset(); }},
      {"a reference to another table",
       [](Schema& s) { column(s, "member", "shield_id").references->table = "guild"; }},

      {"renamed columns with rules and an index",
       [](Schema& s) {
         column(s, "shield", "defense_rating").name = "strength";
         column(s, "shield", "material").name = "metal";
         table(s, "shield").indexes = {{"shield_metal_idx", {"metal"}}};
       },
       {.renamed_columns = {{"shield.strength", "defense_rating"}, {"shield.metal", "material"}}},
       false,
       {{"SELECT CAST(strength AS TEXT) FROM shield WHERE metal = 'gold'", "95"}}},
      {"a renamed unique column that changes as well",
       [](Schema& s) {
         column(s, "shield", "name").name = "title";
         column(s, "shield", "title").max_length = 50;
       },
       {.renamed_columns = {{"shield.title", "name"}}},
       false,
       {{"SELECT title FROM shield WHERE id = 1", "Aegis"}}},
      {"a renamed table that others refer to",
       [](Schema& s) {
         table(s, "guild").name = "clan";
         column(s, "member", "guild_id").references->table = "clan";
       },
       {.renamed_tables = {{"clan", "guild"}}},
       false,
       {{"SELECT name FROM clan", "Smiths"}}},
      {"many at once",
       [](Schema& s) {
         table(s, "guild").name = "clan";
         column(s, "member", "guild_id").references->table = "clan";
         column(s, "member", "guild_id").name = "clan_id";
         table(s, "member").uniques = {{"member_seat_key", {"clan_id", "rank"}}};
         drop_column(s, "shield", "enchantment");
         column(s, "shield", "name").max_length = 100;
         add(s, "shield", plain("weight", "integer"));
         add_oath(s);
       },
       {.renamed_tables = {{"clan", "guild"}},
        .renamed_columns = {{"member.clan_id", "guild_id"}},
        .fills = {{"shield.weight", "3"}}},
       true,
       {{"SELECT CAST(count(*) AS TEXT) FROM member AS m JOIN clan ON clan.id = m.clan_id", "2"}}},
  };
  return all;
}

}  // namespace

BOOST_DATA_TEST_CASE(a_change_keeps_rows_and_goes_back,
                     boost::unit_test::data::make(migration_databases()) *
                         boost::unit_test::data::make(changes()),
                     kind, change) {
  Ground ground(kind);
  ground.revise("begin");
  ground.upgrade();
  ground.insert_rows();
  const Schema before = ground.models;

  change.make(ground.models);
  BOOST_TEST(!ground.revise("change", change.intent, change.destructive).empty());
  ground.upgrade();
  BOOST_TEST(lines(ground.drift()) == "");
  for (const auto& [sql, text] : change.expected) BOOST_TEST(ground.value(sql) == text);
  BOOST_TEST(ground.revise("again").empty());

  ground.downgrade(1, true);
  BOOST_TEST(lines(ground.difference_from(before)) == "");
  if (!change.destructive) ground.check_rows();

  ground.upgrade();
  BOOST_TEST(lines(ground.drift()) == "");
}
