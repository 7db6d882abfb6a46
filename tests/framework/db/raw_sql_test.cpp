// SQL of the user's own, and rows that do not fit.
#include "on_database.h"

namespace {

struct Count {
  std::string material{};
  std::int64_t shields = 0;
  std::optional<double> mean{};
  AEGIS_FIELDS(Count, (material), (shields), (mean))
};

struct Small {
  std::int16_t value = 0;
  AEGIS_FIELDS(Small, (value))
};

/// The shield table with types that its columns do not have.
struct WrongShield {
  std::int64_t id{};
  std::int16_t name{};
  AEGIS_TABLE(WrongShield, "shield", (id, primary_key), (name))
};
struct SmallShield {
  std::int64_t id{};
  std::string enchantment{};
  AEGIS_TABLE(SmallShield, "shield", (id, primary_key), (enchantment))
};

template <class T>
awaitable<void> query(Session& s, std::string sql) {
  co_await s.query<T>(std::move(sql));
}

}  // namespace

DATABASE_TEST(sql_with_parameters_of_every_kind) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    const std::string oak = "oak";
    const char* iron = "iron";
    BOOST_TEST(
        co_await s.execute("INSERT INTO shield (name, defense_rating, material, enchantment) "
                           "VALUES ($1, $2, $3, $4), ($5, $2, $6, NULL)",
                           "a", 10, oak, std::nullopt, std::string_view("b"), iron) == 2);
    BOOST_TEST(co_await s.execute("UPDATE shield SET defense_rating = $2 WHERE name = $1", "b",
                                  std::optional<int>(20)) == 1);
    const aegis::Value material = std::string("oak");
    const auto found =
        co_await s.query<Shield>("SELECT * FROM shield WHERE material = $1", material);
    BOOST_TEST(found.size() == 1);
    BOOST_TEST(found[0].name == "a");

    const auto counts = co_await s.query<Count>(
        "SELECT material, count(*) AS shields, avg(defense_rating) AS mean, 1 AS surplus "
        "FROM shield GROUP BY material ORDER BY material");
    BOOST_TEST(counts.size() == 2);
    BOOST_TEST(counts[0].material == "iron");
    BOOST_TEST(counts[0].shields == 1);
    BOOST_TEST(*counts[0].mean == 20.0);
  });
}

DATABASE_TEST(single_values_come_from_the_first_column) {
  co_await db.read([&](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.query<std::int64_t>("SELECT 7, 8")).at(0) == 7);
    BOOST_TEST((co_await s.query<std::string>("SELECT $1", "it's")).at(0) == "it's");
    const auto maybe = co_await s.query<std::optional<int>>("SELECT NULL UNION ALL SELECT 1");
    BOOST_TEST((maybe == std::vector<std::optional<int>>{std::nullopt, 1}));
    BOOST_TEST(*(co_await s.query<std::optional<bool>>("SELECT 1 = 1")).at(0));
    BOOST_TEST((co_await s.query<int>("SELECT 1 WHERE 1 = 2")).empty());
  });
}

DATABASE_TEST(rows_that_do_not_fit_are_errors_that_name_the_column) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    Shield row = shield("Aegis");
    co_await s.insert(row);
  });
  co_await db.read([&](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await error_of(query<Shield>(s, "SELECT id, name FROM shield"), Errc::internal) ==
               "The statement answers no column defense_rating for Shield::defense_rating; its "
               "columns are: id, name.");
    BOOST_TEST(
        co_await error_of(query<Small>(s, "SELECT 1 AS value, 2 AS value"), Errc::internal) ==
        "The statement answers two columns named value; give one another name with AS.");
    BOOST_TEST(co_await error_of(query<Small>(s, "SELECT NULL AS value"), Errc::internal) ==
               "Column value holds NULL; the member takes an integer between -32768 and 32767, and "
               "is no std::optional.");
    BOOST_TEST(co_await error_of(query<Small>(s, "SELECT 40000 AS value"), Errc::internal) ==
               "Column value holds an integer out of range; the member takes an integer between "
               "-32768 and 32767.");
    BOOST_TEST(co_await error_of(query<std::string>(s, "SELECT 1.5 AS value"), Errc::internal) ==
               "Column value holds a real number; the member takes text.");

    const auto wrong = [](Session& in) -> awaitable<void> {
      co_await in.select<WrongShield>().all();
    };
    BOOST_TEST(co_await error_of(wrong(s), Errc::internal) ==
               "shield.name holds text; the member takes an integer between -32768 and 32767.");
    const auto null = [](Session& in) -> awaitable<void> { co_await in.get<SmallShield>(1); };
    BOOST_TEST(co_await error_of(null(s), Errc::internal) ==
               "shield.enchantment holds NULL; the member takes text, and is no std::optional.");
  });
}

DATABASE_TEST(sql_that_is_not_the_users_to_write) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    const auto run = [](Session& in, std::string sql) -> awaitable<void> {
      co_await in.execute(std::move(sql));
    };
    for (const char* sql : {"COMMIT", "", "SELECT 1; DELETE FROM shield"}) {
      co_await error_of(run(s, sql), Errc::internal);
    }
    BOOST_TEST(co_await s.select<Shield>().count() == 0);  // the session is as good as before
  });
}

DATABASE_TEST(a_setting_that_would_outlive_the_session_is_refused) {
  const auto set = [&]() -> awaitable<void> {
    co_await db.session([](Session& s) -> awaitable<void> { co_await s.execute("SET a = 1"); });
  };
  BOOST_TEST((co_await error_of(set(), Errc::internal)).find("write SET LOCAL") !=
             std::string::npos);
}
