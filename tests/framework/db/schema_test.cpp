// DDL: its text, the checks before it, and that databases take it.
#include "db/schema.h"

#include "db/dialect.h"
#include "db/sqlite/dialect.h"
#include "on_database.h"

namespace {

std::string ddl(const aegis::Table& table) {
  std::string text;
  for (const auto& sql : aegis::db::sqlite::dialect().create(table, false)) text += sql + ";\n";
  return text;
}

/// The message with which the tables are refused.
std::string refusal(std::vector<const aegis::Table*> tables) {
  try {
    aegis::db::creation_order(tables);
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
}

struct Limits {
  std::optional<std::int64_t> id{};
  bool flag = true;
  double share = 0.5;
  double part = 0;
  int low = 0;
  int high = 0;
  std::string code = "a'b";
  aegis::Bytes salt{std::byte{0xAB}, std::byte{0x01}};
  std::chrono::milliseconds pause{1500};
  std::optional<std::int64_t> next{};
  std::optional<bool> sure{};

  AEGIS_TABLE(Limits, "limits", (id, primary_key), (flag), (share, ge(0.0), le(1.0)), (part),
              (low, ge(-5)), (high, le(5)), (code, max_length(3), one_of("a'b", "c")),
              (salt, min_length(2)), (pause, ge(0)), (next, references("limits", "id")), (sure))
};

struct Errand {
  std::optional<std::int64_t> id{};
  std::string queue{};
  std::string state{};
  AEGIS_TABLE(Errand, "errand", (id, primary_key), (queue), (state))
  static constexpr std::array aegis_indexes{
      aegis::TableIndex{"open", "queue, id", "state = 'open'"}, aegis::TableIndex{"all", "state"},
      aegis::TableIndex{"one", "queue", "state = 'running'", true}};
};

struct Chicken {
  std::int64_t id{}, egg_id{};
  AEGIS_TABLE(Chicken, "chicken", (id, primary_key), (egg_id, references("egg", "id")))
};
struct Lonely {
  std::int64_t id{};
  AEGIS_TABLE(Lonely, "chicken", (id, primary_key))
};
struct Egg {
  std::int64_t id{}, chicken_id{};
  AEGIS_TABLE(Egg, "egg", (id, primary_key), (chicken_id, references("chicken", "id")))
};
struct Stray {
  std::int64_t id{}, guild_id{};
  AEGIS_TABLE(Stray, "stray", (id, primary_key), (guild_id, references("guild", "nobody")))
};
struct Loose {
  std::int64_t id{};
  std::string material{};
  AEGIS_TABLE(Loose, "loose", (id, primary_key), (material, references("shield", "material")))
};
struct Mistyped {
  std::string id{}, guild_id{};
  AEGIS_TABLE(Mistyped, "mistyped", (id, primary_key), (guild_id, references("guild", "id")))
};
struct Stuck {
  std::int64_t id{}, guild_id{};
  AEGIS_TABLE(Stuck, "stuck", (id, primary_key),
              (guild_id, references("guild", "id").on_delete(aegis::OnDelete::set_null)))
};
struct Tagged {
  std::int64_t id{};
  std::vector<std::string> tags{};
  AEGIS_TABLE(Tagged, "tagged", (id, primary_key), (tags))
};
struct Twice {
  std::int64_t id{}, ID{};
  AEGIS_TABLE(Twice, "twice", (id, primary_key), (ID))
};
struct OtherGuild {
  std::int64_t id{};
  AEGIS_TABLE(OtherGuild, "Guild", (id, primary_key))
};
struct OrderItem {
  std::int64_t id{};
  std::string code{};
  AEGIS_TABLE(OrderItem, "order_item", (id, primary_key), (code, unique))
};
struct Order {
  std::int64_t id{};
  std::string item_code{};
  AEGIS_TABLE(Order, "order", (id, primary_key), (item_code, unique))
};
struct Nameless {
  std::int64_t id{};
  AEGIS_TABLE(Nameless, "", (id, primary_key))
};
struct Reserved {
  std::int64_t id{};
  AEGIS_TABLE(Reserved, "sqlite_things", (id, primary_key))
};
struct Long {
  std::int64_t id{};
  AEGIS_TABLE(Long, "a_name_that_is_far_too_long_for_postgresql_which_cuts_it_off_silently",
              (id, primary_key))
};

}  // namespace

using aegis::table_of;

BOOST_AUTO_TEST_CASE(an_index_can_be_over_some_rows_only) {
  const std::string text = ddl(aegis::table_of<Errand>());
  BOOST_TEST(text.ends_with("CREATE INDEX errand_open_idx ON errand (queue, id) WHERE state = "
                            "'open';\n"
                            "CREATE INDEX errand_all_idx ON errand (state);\n"
                            "CREATE UNIQUE INDEX errand_one_idx ON errand (queue) WHERE state = "
                            "'running';\n"),
             text);
}

BOOST_AUTO_TEST_CASE(a_table_as_a_person_writes_it) {
  BOOST_TEST(
      ddl(table_of<Shield>()) ==
      "CREATE TABLE shield (\n"
      "  id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
      "  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),\n"
      "  defense_rating INTEGER NOT NULL DEFAULT 10 CHECK (defense_rating BETWEEN 0 AND 100),\n"
      "  material TEXT NOT NULL DEFAULT 'iron',\n"
      "  enchantment TEXT\n"
      ") STRICT;\n"
      "CREATE INDEX shield_material_idx ON shield (material);\n");
}

BOOST_AUTO_TEST_CASE(references_groups_and_their_indexes) {
  BOOST_TEST(ddl(table_of<Member>()) ==
             "CREATE TABLE member (\n"
             "  id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
             "  guild_id INTEGER NOT NULL REFERENCES guild (id) ON DELETE CASCADE,\n"
             "  shield_id INTEGER REFERENCES shield (id) ON DELETE SET NULL,\n"
             "  title TEXT NOT NULL DEFAULT 'it''s' CHECK (title IN ('it''s', 'new')),\n"
             "  rank TEXT NOT NULL,\n"
             "  UNIQUE (guild_id, rank)\n"
             ") STRICT;\n"
             "CREATE INDEX member_shield_id_idx ON member (shield_id);\n"
             "CREATE INDEX member_by_title_idx ON member (title, rank);\n");
}

BOOST_AUTO_TEST_CASE(limits_and_defaults_of_every_kind) {
  BOOST_TEST(
      ddl(table_of<Limits>()) ==
      "CREATE TABLE limits (\n"
      "  id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
      "  flag INTEGER NOT NULL DEFAULT 1 CHECK (flag IN (0, 1)),\n"
      "  share REAL NOT NULL DEFAULT 0.5 CHECK (share BETWEEN 0 AND 1),\n"
      "  part REAL NOT NULL,\n"
      "  low INTEGER NOT NULL CHECK (low >= -5),\n"
      "  high INTEGER NOT NULL CHECK (high <= 5),\n"
      "  code TEXT NOT NULL DEFAULT 'a''b' CHECK (length(code) <= 3 AND code IN ('a''b', 'c')),\n"
      "  salt BLOB NOT NULL DEFAULT X'ab01' CHECK (length(salt) >= 2),\n"
      "  pause INTEGER NOT NULL DEFAULT 1500 CHECK (pause >= 0),\n"
      "  next INTEGER REFERENCES limits (id) ON DELETE RESTRICT,\n"
      "  sure INTEGER CHECK (sure IN (0, 1))\n"
      ") STRICT;\n"
      "CREATE INDEX limits_next_idx ON limits (next);\n");
}

BOOST_AUTO_TEST_CASE(what_is_referred_to_comes_first) {
  const auto order =
      aegis::db::creation_order({&table_of<Member>(), &table_of<Word>(), &table_of<Guild>(),
                                 &table_of<Shield>(), &table_of<Guild>()});
  const std::vector<const aegis::Table*> expected{&table_of<Guild>(), &table_of<Shield>(),
                                                  &table_of<Member>(), &table_of<Word>()};
  BOOST_TEST(order == expected);
}

BOOST_AUTO_TEST_CASE(descriptions_that_no_database_takes) {
  BOOST_TEST(refusal({&table_of<Limits>()}) == "taken");  // a reference to itself is fine
  BOOST_TEST(refusal({&table_of<Chicken>(), &table_of<Egg>()}) ==
             "Tables refer to each other in a circle, so that none can be created first: "
             "chicken → egg → chicken.");
  BOOST_TEST(refusal({&table_of<Chicken>()}) ==
             "chicken.egg_id refers to table egg, which is not among the models; add its model to "
             "them.");
  BOOST_TEST(refusal({&table_of<Stray>(), &table_of<Guild>()}) ==
             "stray.guild_id refers to guild.nobody, but that table has no such column.");
  BOOST_TEST(refusal({&table_of<Loose>(), &table_of<Shield>()}) ==
             "loose.material refers to shield.material, which is neither the primary key nor "
             "unique.");
  BOOST_TEST(refusal({&table_of<Mistyped>(), &table_of<Guild>()}) ==
             "mistyped.guild_id refers to guild.id, which is of another type.");
  BOOST_TEST(refusal({&table_of<Stuck>(), &table_of<Guild>()}) ==
             "stuck.guild_id is to be set to NULL when the row it refers to is deleted, but cannot "
             "be NULL; make the member a std::optional.");
  BOOST_TEST(refusal({&table_of<Tagged>()}) ==
             "tagged.tags is a list or a struct; a column holds a single value.");
  BOOST_TEST(refusal({&table_of<Twice>()}) ==
             "Table twice has two columns named ID (upper and lower case count as the same).");
  BOOST_TEST(refusal({&table_of<Guild>(), &table_of<OtherGuild>()}) ==
             "Guild and OtherGuild are both stored in a table named Guild; give one another name.");
  BOOST_TEST(
      refusal({&table_of<Order>(), &table_of<OrderItem>()}) ==
      "The constraint order_item_code_key of table order_item has the name of another index, "
      "constraint or table.");
  BOOST_TEST(refusal({&table_of<Nameless>()}) == "The table of Nameless has no name.");
  BOOST_TEST(
      refusal({&table_of<Reserved>()}) ==
      "Table sqlite_things cannot have that name: SQLite keeps names in sqlite_ for itself.");
  BOOST_TEST(
      refusal({&table_of<Long>()})
          .starts_with(
              "The table of Long has a name of 69 bytes; databases take at most 63: a_name"));
}

BOOST_AUTO_TEST_CASE(long_names_of_constraints_are_cut_and_stay_apart) {
  using aegis::db::constraint_name;
  const std::string table(40, 't');
  BOOST_TEST(constraint_name("shield", "name", "key") == "shield_name_key");
  const std::string cut = constraint_name(table, "a_column_of_some_length_1", "check");
  BOOST_TEST(cut.size() == 63U);
  BOOST_TEST(cut.ends_with("_check"));
  BOOST_TEST(cut != constraint_name(table, "a_column_of_some_length_2", "check"));
}

DATABASE_TEST(creating_all_again_changes_nothing) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    Shield one = shield("Aegis");
    co_await s.insert(one);
  });
  co_await db.create_all(all_tables());
  co_await db.create_all({&table_of<Limits>()});
  co_await db.read([&](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<Shield>().count() == 1);
    BOOST_TEST(co_await s.select<Limits>().count() == 0);
  });
}

DATABASE_TEST(creating_all_is_all_or_nothing) {
  co_await db.session([&](Session& s) -> awaitable<void> {  // in the second table's way
    co_await s.execute(ground.is_postgresql() ? "CREATE TYPE chicken AS ENUM ('a')"
                                              : "CREATE INDEX chicken ON guild (name)");
  });
  co_await error_of(db.create_all({&table_of<Limits>(), &table_of<Lonely>()}), Errc::internal);
  co_await db.read([&](Session& s) -> awaitable<void> {
    co_await error_of(
        [](Session& in) -> awaitable<void> { co_await in.select<Limits>().count(); }(s),
        Errc::internal);
  });
}

DATABASE_TEST(the_schema_is_what_would_be_created) {
  const std::string schema =
      db.schema({&table_of<Member>(), &table_of<Guild>(), &table_of<Shield>()});
  BOOST_TEST(schema.starts_with("CREATE TABLE guild (\n"));
  BOOST_TEST(schema.find(";\n\nCREATE TABLE shield") != std::string::npos);
  co_return;
}

DATABASE_TEST(the_database_itself_keeps_the_rules) {
  const auto insert = [](Database& into, std::string sql) -> awaitable<void> {
    auto body = [&](Session& s) -> awaitable<void> { co_await s.execute(sql); };
    co_await into.session(body);
  };
  co_await error_of(insert(db, "INSERT INTO shield (name) VALUES ('')"), Errc::invalid);
  co_await error_of(insert(db, "INSERT INTO shield (name, defense_rating) VALUES ('a', 101)"),
                    Errc::invalid);
  co_await error_of(insert(db, "INSERT INTO member (guild_id, rank) VALUES (1, 'a')"),
                    Errc::conflict);
  co_await insert(db, "INSERT INTO shield (name) VALUES ('plain')");
  co_await db.read([&](Session& s) -> awaitable<void> {
    const Shield plain = co_await s.select<Shield>().one();
    BOOST_TEST(plain.defense_rating == 10);
    BOOST_TEST(plain.material == "iron");
  });
}
