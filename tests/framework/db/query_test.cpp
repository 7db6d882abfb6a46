// Queries of the builders, against the same conditions worked out in C++.
#include <algorithm>
#include <functional>
#include <random>

#include "on_database.h"

namespace {

constexpr auto S = Shield::col;

awaitable<void> insert(Session& s, std::vector<Shield> rows) {
  co_await s.insert_all(rows);
}

std::vector<std::string> names(const std::vector<Shield>& rows) {
  std::vector<std::string> all;
  for (const Shield& row : rows) all.push_back(row.name);
  return all;
}

/// A condition, and what it means.
struct Case {
  aegis::Condition condition;
  std::function<bool(const Shield&)> holds;
  std::string text;
};

class Cases {
 public:
  explicit Cases(unsigned seed) : random_(seed) {}

  Case make(int depth) {
    const int kind = pick(depth > 0 ? 9 : 6);
    if (kind >= 6) {
      Case a = make(depth - 1);
      if (kind == 8) {
        return {!a.condition, [a](const Shield& s) { return !a.holds(s); }, "!(" + a.text + ")"};
      }
      Case b = make(depth - 1);
      if (kind == 6) {
        return {a.condition && b.condition,
                [a, b](const Shield& s) { return a.holds(s) && b.holds(s); },
                "(" + a.text + " && " + b.text + ")"};
      }
      return {a.condition || b.condition,
              [a, b](const Shield& s) { return a.holds(s) || b.holds(s); },
              "(" + a.text + " || " + b.text + ")"};
    }
    if (kind == 0)
      return numbers(
          S.defense_rating, "defense",
          [](const Shield& s) { return std::optional(s.defense_rating); }, pick(6));
    if (kind == 1) {
      return numbers(
          S.enchantment, "enchantment", [](const Shield& s) { return s.enchantment; },
          enchantments[pick(3)]);
    }
    if (kind == 2) {
      return {S.enchantment == std::nullopt, [](const Shield& s) { return !s.enchantment; },
              "enchantment null"};
    }
    if (kind == 3) {
      return {S.enchantment != std::nullopt,
              [](const Shield& s) { return s.enchantment.has_value(); }, "enchantment not null"};
    }
    if (kind == 4) {
      std::vector<std::string> some(enchantments.begin(), enchantments.begin() + pick(3));
      return {S.enchantment.in(some),
              [some](const Shield& s) {
                return s.enchantment && std::ranges::count(some, *s.enchantment) > 0;
              },
              "enchantment in the first " + std::to_string(some.size())};
    }
    return {S.enchantment.like("%i%"),
            [](const Shield& s) {
              return s.enchantment && s.enchantment->find('i') != std::string::npos;
            },
            "enchantment like %i%"};
  }

  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  static inline const std::vector<std::string> enchantments{"fire", "Ice", "wind"};

 private:
  template <class Column, class Get, class T>
  Case numbers(Column column, const std::string& name, Get get, T value) {
    const auto text = [&](std::string_view op) { return name + std::string(op) + "…"; };
    switch (pick(6)) {
      case 0:
        return {column == value, [=](const Shield& s) { return get(s) == value; }, text(" == ")};
      case 1:
        return {column != value, [=](const Shield& s) { return get(s) != value; }, text(" != ")};
      case 2:
        return {column < value, [=](const Shield& s) { return get(s) && *get(s) < value; },
                text(" < ")};
      case 3:
        return {column <= value, [=](const Shield& s) { return get(s) && *get(s) <= value; },
                text(" <= ")};
      case 4:
        return {column > value, [=](const Shield& s) { return get(s) && *get(s) > value; },
                text(" > ")};
      default:
        return {column >= value, [=](const Shield& s) { return get(s) && *get(s) >= value; },
                text(" >= ")};
    }
  }

  std::mt19937 random_;
};

}  // namespace

DATABASE_TEST(conditions_mean_what_they_mean_in_cpp) {
  Cases cases(20'261'121);
  std::vector<Shield> rows;
  for (int i = 0; i < 24; ++i) {
    const int which = cases.pick(4);
    rows.push_back(shield("shield " + std::to_string(100 + i), cases.pick(6), "iron",
                          which == 3 ? std::nullopt : std::optional(Cases::enchantments[which])));
  }
  co_await db.session([&](Session& s) -> awaitable<void> { co_await insert(s, rows); });
  co_await db.read([&](Session& s) -> awaitable<void> {
    for (int i = 0; i < 400; ++i) {
      const Case one = cases.make(4);
      std::vector<std::string> expected;
      for (const Shield& row : rows) {
        if (one.holds(row)) expected.push_back(row.name);
      }
      const auto query = s.select<Shield>().where(one.condition).order_by(S.name.asc());
      BOOST_TEST_INFO(one.text);
      BOOST_TEST(names(co_await query.all()) == expected, boost::test_tools::per_element());
      BOOST_TEST(co_await query.count() == std::ssize(expected));
      BOOST_TEST(co_await query.exists() == !expected.empty());
    }
  });
}

DATABASE_TEST(order_limit_and_offset) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    co_await insert(s, {shield("a", 1, "oak", "fire"), shield("b", 2, "iron"),
                        shield("c", 2, "oak", "air"), shield("d", 1, "iron", "fire")});
  });
  co_await db.read([&](Session& s) -> awaitable<void> {
    using Names = std::vector<std::string>;
    auto query = s.select<Shield>().order_by(S.defense_rating.desc(), S.name.asc());
    BOOST_TEST(names(co_await query.all()) == (Names{"b", "c", "a", "d"}));
    BOOST_TEST(names(co_await query.limit(2).all()) == (Names{"b", "c"}));
    BOOST_TEST(names(co_await query.offset(1).all()) == (Names{"c", "a"}));
    BOOST_TEST(co_await query.count() == 4);
    BOOST_TEST((co_await query.one()).name == "c");
    BOOST_TEST((co_await query.first())->name == "c");
    BOOST_TEST(names(co_await query.limit(0).all()).empty());
    BOOST_TEST(!(co_await query.first()).has_value());
    BOOST_TEST(names(co_await s.select<Shield>().order_by(S.id.asc()).offset(3).all()) ==
               (Names{"d"}));

    // NULL first, and last in the opposite order.
    const auto by_enchantment = s.select<Shield>().order_by(S.enchantment.asc(), S.name.asc());
    BOOST_TEST(names(co_await by_enchantment.all()) == (Names{"b", "c", "a", "d"}));
    const auto reversed = s.select<Shield>().order_by(S.enchantment.desc(), S.name.desc());
    BOOST_TEST(names(co_await reversed.all()) == (Names{"d", "a", "c", "b"}));

    BOOST_CHECK_THROW(query.limit(-1), Error);
    BOOST_CHECK_THROW(query.offset(-1), Error);
    // An order may come from a request: an unknown column is an error, not SQL.
    const auto unknown = [](Session& in) -> awaitable<void> {
      co_await in.select<Shield>().order_by(aegis::Order{"1; DROP TABLE shield"}).all();
    };
    co_await error_of(unknown(s), Errc::internal);
  });
}

DATABASE_TEST(like_knows_its_signs_and_upper_case) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    co_await insert(s, {shield("100% iron"), shield("100 iron"), shield("IRON_1"), shield("irony1"),
                        shield("back\\slash"), shield("größe")});
  });
  co_await db.read([&](Session& s) -> awaitable<void> {
    const auto find = [&](std::string_view pattern) {
      return s.select<Shield>().where(S.name.like(pattern)).order_by(S.id.asc()).all();
    };
    using Names = std::vector<std::string>;
    BOOST_TEST(names(co_await find("%iron%")) == (Names{"100% iron", "100 iron", "irony1"}));
    BOOST_TEST(names(co_await find("100\\%%")) == (Names{"100% iron"}));
    BOOST_TEST(names(co_await find("IRON\\_1")) == (Names{"IRON_1"}));
    BOOST_TEST(names(co_await find("iron__")) == (Names{"irony1"}));
    BOOST_TEST(names(co_await find("back\\\\slash")) == (Names{"back\\slash"}));
    BOOST_TEST(names(co_await find("gr__e")) == (Names{"größe"}));
    BOOST_TEST(names(co_await find("' OR 1=1 --")).empty());
  });
}

DATABASE_TEST(many_rows_are_changed_and_deleted_at_once) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    co_await insert(s, {shield("a", 1, "oak", "fire"), shield("b", 2, "oak"), shield("c", 3)});
    BOOST_TEST(co_await s.update_all<Shield>()
                   .set(S.defense_rating, 50)
                   .set(S.enchantment, std::nullopt)
                   .where(S.material == "oak")
                   .where(S.defense_rating > 0)
                   .run() == 2);
    BOOST_TEST((co_await s.select<Shield>().where(S.name == "a").one() ==
                Shield{.id = 1, .name = "a", .defense_rating = 50, .material = "oak"}));
    auto changed = co_await s.update_all<Shield>()
                       .set(S.enchantment, "wind")
                       .where(S.defense_rating == 50)
                       .returning();
    std::ranges::sort(changed, {}, &Shield::name);
    BOOST_TEST(names(changed) == (std::vector<std::string>{"a", "b"}));
    BOOST_TEST((changed[1].enchantment == "wind"));

    const auto gone = co_await s.delete_from<Shield>().where(S.name == "c").returning();
    BOOST_TEST(names(gone) == (std::vector<std::string>{"c"}));
    BOOST_TEST(co_await s.delete_from<Shield>().where(S.name == "c").run() == 0);
    BOOST_TEST(co_await s.delete_from<Shield>().run() == 2);
    BOOST_TEST(co_await s.select<Shield>().exists() == false);
  });
}

DATABASE_TEST(an_update_that_sets_nothing_is_refused) {
  const auto nothing = [](Database& in) -> awaitable<void> {
    co_await in.session(
        [](Session& s) -> awaitable<void> { co_await s.update_all<Shield>().run(); });
  };
  BOOST_TEST(co_await error_of(nothing(db), Errc::internal) ==
             "An update of shield sets no column: call set().");
}

DATABASE_TEST(more_values_than_a_statement_can_have) {
  const auto many = [](Database& in) -> awaitable<void> {
    co_await in.read([](Session& s) -> awaitable<void> {
      const std::vector<std::int64_t> ids(100'000, 1);
      co_await s.select<Shield>().where(S.id.in(ids)).all();
    });
  };
  const std::string message = co_await error_of(many(db), Errc::invalid);
  BOOST_TEST(message.find("but this one has 100000; split it.") != std::string::npos, message);
}

DATABASE_TEST(a_query_that_is_kept_owns_what_it_needs) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    co_await insert(s, {shield("a"), shield("b")});
    const auto make = [](Session& in) {
      const std::string name = "a long enough name that it is not stored in place";
      return in.select<Shield>().where(S.name != name).order_by(S.name.desc());
    };
    const auto query = make(s);
    auto all = query.all();
    auto count = make(s).count();
    auto one = make(s).one();
    BOOST_TEST(names(co_await std::move(all)) == (std::vector<std::string>{"b", "a"}));
    BOOST_TEST(co_await std::move(count) == 2);
    BOOST_TEST((co_await std::move(one)).name == "b");
    BOOST_TEST(names(co_await query.all()).size() == 2);
    auto copy = query;
    copy.limit(1);
    BOOST_TEST((co_await copy.all()).size() == 1);
    BOOST_TEST((co_await query.all()).size() == 2);
  });
}
