// Rows one by one: insert, get, update, upsert, erase.
#include <limits>

#include "on_database.h"

namespace {

aegis::Timestamp moment(std::int64_t microseconds) {
  return aegis::Timestamp(std::chrono::microseconds(microseconds));
}

awaitable<void> insert_one(Session& s, Shield row) {
  co_await s.insert(row);
}

struct Narrow {
  std::optional<std::int16_t> id{};
  std::string name{};
  AEGIS_TABLE(Narrow, "guild", (id, primary_key), (name))
};

}  // namespace

DATABASE_TEST(an_inserted_row_gets_its_key_and_is_read_back) {
  Shield aegis = shield("Aegis", 90, "bronze", "petrifying");
  co_await db.session([&](Session& s) -> awaitable<void> { co_await s.insert(aegis); });
  BOOST_REQUIRE(aegis.id.has_value());
  co_await db.read([&](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.get<Shield>(*aegis.id) == aegis));
    BOOST_TEST((co_await s.find<Shield>(*aegis.id) == aegis));
    BOOST_TEST(!(co_await s.find<Shield>(*aegis.id + 1)).has_value());
  });
}

DATABASE_TEST(a_row_that_is_not_there) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    const auto get = [](Session& in) -> awaitable<void> { co_await in.get<Shield>(42); };
    BOOST_TEST(co_await error_of(get(s), Errc::not_found) == "shield 42 does not exist");
    BOOST_TEST(co_await error_of(s.erase<Shield>(42), Errc::not_found) ==
               "shield 42 does not exist");
    const auto word = [](Session& in) -> awaitable<void> { co_await in.get<Word>("nope"); };
    BOOST_TEST(co_await error_of(word(s), Errc::not_found) == "select \"nope\" does not exist");
    Shield ghost = shield("Ghost");
    ghost.id = 42;
    BOOST_TEST(co_await error_of(s.update(ghost), Errc::not_found) == "shield 42 does not exist");
    const auto one = [](Session& in) -> awaitable<void> { co_await in.select<Shield>().one(); };
    BOOST_TEST(co_await error_of(one(s), Errc::not_found) == "no such shield exists");

    // None of that is a failure of the session.
    co_await s.insert(ghost);
    BOOST_TEST((co_await s.get<Shield>(42)).name == "Ghost");
  });
}

DATABASE_TEST(values_of_every_kind_come_back_as_they_were) {
  Everything least{.id = 1,
                   .small = std::numeric_limits<std::int16_t>::min(),
                   .large = std::numeric_limits<std::int64_t>::min(),
                   .real = -1.0 / 3,
                   .moment = moment(-1)};
  Everything most{.id = std::numeric_limits<std::int64_t>::max() - 1,
                  .flag = true,
                  .small = std::numeric_limits<std::int16_t>::max(),
                  .large = std::numeric_limits<std::int64_t>::max(),
                  .real = std::numeric_limits<double>::max(),
                  .text = "it's \"größe\" 盾\n\t'; DROP TABLE everything; --",
                  .bytes = {std::byte{0}, std::byte{0xFF}, std::byte{'\''}},
                  .moment = moment(1'795'000'000'123'456),
                  .duration = std::chrono::hours(1000),
                  .maybe_flag = false,
                  .maybe_number = std::numeric_limits<std::uint32_t>::max(),
                  .maybe_real = 0.0,
                  .maybe_text = "",
                  .maybe_bytes = aegis::Bytes{},
                  .maybe_moment = moment(0)};
  co_await db.session([&](Session& s) -> awaitable<void> {
    co_await s.insert(least);
    co_await s.insert(most);
  });
  co_await db.read([&](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.get<Everything>(1) == least));
    BOOST_TEST((co_await s.get<Everything>(*most.id) == most));
    const auto all = co_await s.select<Everything>().order_by(Everything::col.id.asc()).all();
    BOOST_TEST((all == std::vector{least, most}));
    const auto by_name = co_await s.query<Everything>("SELECT * FROM everything ORDER BY id DESC");
    BOOST_TEST((by_name == std::vector{most, least}));
  });
}

DATABASE_TEST(a_key_is_never_given_twice) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    Shield first = shield("first");
    co_await s.insert(first);
    co_await s.erase<Shield>(*first.id);
    Shield second = shield("second");
    co_await s.insert(second);
    BOOST_TEST(*second.id > *first.id);
  });
}

DATABASE_TEST(own_keys_and_tables_of_nothing_but_a_key) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    Word word{.order = "please"};
    co_await s.insert(word);
    co_await s.update(word);
    co_await s.upsert(word, Word::col.order);
    BOOST_TEST((co_await s.get<Word>("please")).order == "please");
    BOOST_TEST(co_await s.select<Word>().where(Word::col.order == "please").count() == 1);

    Ticket one, two;
    co_await s.insert(one);
    co_await s.insert(two);
    BOOST_TEST((one.number && two.number && *one.number < *two.number));
    co_await s.update(two);
    std::vector<Ticket> more(3);
    co_await s.insert_all(more);
    BOOST_TEST((*two.number < *more[0].number && *more[0].number < *more[2].number));
  });
}

DATABASE_TEST(an_update_writes_every_column) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    Shield row = shield("old", 1, "oak", "fire");
    co_await s.insert(row);
    Shield other = shield("other", 2);
    co_await s.insert(other);
    row = {.id = row.id, .name = "new", .defense_rating = 3, .material = "steel"};
    co_await s.update(row);
    BOOST_TEST((co_await s.get<Shield>(*row.id) == row));
    BOOST_TEST((co_await s.get<Shield>(*other.id) == other));

    const std::string message = co_await error_of(s.update(shield("new")), Errc::invalid);
    BOOST_TEST(message == "This shield has no key: id is empty. Was it inserted?");
  });
}

DATABASE_TEST(an_upsert_inserts_or_updates) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    Shield first = shield("Aegis", 10, "iron", "fire");
    co_await s.upsert(first, Shield::col.name);
    BOOST_REQUIRE(first.id.has_value());

    Shield again = shield("Aegis", 20, "bronze");
    co_await s.upsert(again, Shield::col.name);
    BOOST_TEST((again.id == first.id));
    BOOST_TEST((co_await s.get<Shield>(*first.id) == again));

    // With a key of its own the row that is there keeps its key, and the object gets it.
    Shield numbered = shield("Aegis", 30);
    numbered.id = *first.id + 100;
    co_await s.upsert(numbered, Shield::col.name);
    BOOST_TEST((numbered.id == first.id));

    Shield by_key = shield("Renamed", 40);
    by_key.id = first.id;
    co_await s.upsert(by_key, Shield::col.id);
    BOOST_TEST((co_await s.get<Shield>(*first.id)).name == "Renamed");
    Shield fresh = shield("Fresh");
    co_await s.upsert(fresh, Shield::col.id);
    BOOST_TEST((fresh.id && *fresh.id != *first.id));
    BOOST_TEST(co_await s.select<Shield>().count() == 2);

    Guild guild{.name = "Smiths"};
    co_await s.upsert(guild, Guild::col.name);
    Guild same{.name = "Smiths"};
    co_await s.upsert(same, Guild::col.name);
    BOOST_TEST((same.id == guild.id));

    BOOST_TEST(co_await error_of(s.upsert(fresh, Shield::col.material), Errc::internal) ==
               "upsert() by shield.material needs a column that is unique.");
  });
}

DATABASE_TEST(many_rows_at_once_get_their_keys_in_order) {
  constexpr int count = 1203;  // more than one statement, the last one shorter
  co_await db.session([&](Session& s) -> awaitable<void> {
    std::vector<Shield> rows;
    for (int i = 0; i < count; ++i) rows.push_back(shield("shield " + std::to_string(i), i % 100));
    rows[7].id = 5'000'000;  // one with a key of its own
    co_await s.insert_all(rows);
    BOOST_TEST(co_await s.select<Shield>().count() == count);
    BOOST_TEST(*rows[7].id == 5'000'000);
    for (const Shield& row : rows) BOOST_REQUIRE((co_await s.get<Shield>(*row.id) == row));

    std::vector<Shield> none;
    co_await s.insert_all(none);
  });
}

DATABASE_TEST(a_taken_value_is_a_conflict_that_names_the_column) {
  co_await db.session([&](Session& s) -> awaitable<void> { co_await insert_one(s, shield("a")); });
  const auto again = [](Database& in) -> awaitable<void> {
    co_await in.session(
        [&](Session& s) -> awaitable<void> { co_await insert_one(s, shield("a")); });
  };
  const std::string message = co_await error_of(again(db), Errc::conflict);
  BOOST_TEST(message.find("shield") != std::string::npos, message);
  BOOST_TEST(message.find("name") != std::string::npos, message);
}

DATABASE_TEST(a_key_too_large_for_its_member) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    co_await s.execute("INSERT INTO guild (id, name) VALUES (40000, 'large')");
    if (ground.is_postgresql()) {  // where a given key does not move the next one
      co_await s.execute("ALTER TABLE guild ALTER COLUMN id RESTART WITH 40001");
    }
    Narrow narrow{.name = "small"};
    BOOST_TEST(co_await error_of(s.insert(narrow), Errc::internal) ==
               "The member Narrow::id cannot hold its new key, 40001.");
    BOOST_TEST(!narrow.id.has_value());
    co_await s.rollback();  // where the key is an answer of the statement, that has failed
  });
}
