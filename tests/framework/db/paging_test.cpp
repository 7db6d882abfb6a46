// Keyset paging: every row once, in order, however the pages are cut.
#include <algorithm>
#include <random>

#include "on_database.h"

namespace {

constexpr auto S = Shield::col;

awaitable<void> fill(Database& db) {
  co_await db.session([](Session& s) -> awaitable<void> {
    std::mt19937 random(1);
    std::vector<Shield> rows;
    for (int i = 0; i < 60; ++i) {
      const auto which = random() % 4;
      rows.push_back(shield("shield " + std::to_string(i), static_cast<int>(random() % 4),
                            random() % 2 ? "oak" : "iron",
                            which == 0 ? std::nullopt : std::optional(std::string(which, 'e'))));
    }
    co_await s.insert_all(rows);
  });
}

/// All pages of `rows` rows, one after the other.
awaitable<std::vector<Shield>> page_through(aegis::Select<Shield> query, int rows) {
  std::vector<Shield> all;
  std::optional<std::string> cursor;
  do {
    auto page = co_await query.limit(rows).page(cursor);
    BOOST_TEST(std::ssize(page.items) <= rows);
    BOOST_TEST((!page.next || std::ssize(page.items) == rows));
    all.insert(all.end(), page.items.begin(), page.items.end());
    cursor = page.next;
  } while (cursor);
  co_return all;
}

awaitable<void> open_page(Session& s, std::string cursor) {
  co_await s.select<Shield>().order_by(S.enchantment.asc()).page(cursor);
}

}  // namespace

DATABASE_TEST(pages_hold_every_row_once_and_in_order) {
  co_await fill(db);
  co_await db.read([&](Session& s) -> awaitable<void> {
    const std::vector<std::vector<aegis::Order>> orders{
        {},
        {S.id.desc()},
        {S.name.asc()},
        {S.material.desc()},
        {S.enchantment.asc()},
        {S.enchantment.desc()},
        {S.material.asc(), S.enchantment.desc()},
        {S.enchantment.asc(), S.defense_rating.desc(), S.id.asc()},
        {S.enchantment.desc(), S.material.desc(), S.id.desc()},
        {S.defense_rating.asc(), S.enchantment.asc(), S.material.desc(), S.name.desc()},
    };
    for (const auto& order : orders) {
      auto query = s.select<Shield>();
      for (const auto& by : order) query.order_by(by);
      auto whole = query;
      const bool has_key = std::ranges::count(order, "id", &aegis::Order::column) > 0;
      const bool descending = !order.empty() && order.back().descending;
      if (!has_key) whole.order_by(descending ? S.id.desc() : S.id.asc());
      const auto expected = co_await whole.all();
      BOOST_REQUIRE_EQUAL(expected.size(), 60);
      for (const int rows : {1, 7, 20, 59, 60, 61}) {
        BOOST_TEST((co_await page_through(query, rows) == expected), rows << " rows a page");
      }
    }
  });
}

DATABASE_TEST(pages_keep_their_conditions_and_do_not_shift_under_writes) {
  co_await fill(db);
  co_await db.session([&](Session& s) -> awaitable<void> {
    auto oak = s.select<Shield>().where(S.material == "oak").order_by(S.name.asc());
    const auto expected = co_await oak.all();
    auto first = co_await oak.limit(3).page();
    BOOST_REQUIRE(first.next.has_value());
    co_await s.erase<Shield>(*first.items[0].id);
    Shield early = shield("a very early one", 1, "oak");
    co_await s.insert(early);
    const auto second = co_await oak.page(first.next);
    BOOST_TEST((second.items[0] == expected[3]));
  });
}

DATABASE_TEST(a_page_has_fifty_rows_unless_told_otherwise) {
  co_await fill(db);
  co_await db.read([&](Session& s) -> awaitable<void> {
    BOOST_TEST((co_await s.select<Shield>().page()).items.size() == 50);
    const auto none = co_await s.select<Shield>().where(S.name == "nobody").page();
    BOOST_TEST((none.items.empty() && !none.next));
    co_await error_of(
        [](Session& in) -> awaitable<void> { co_await in.select<Shield>().limit(0).page(); }(s),
        Errc::invalid);
    co_await error_of(
        [](Session& in) -> awaitable<void> { co_await in.select<Shield>().offset(1).page(); }(s),
        Errc::internal);
  });
}

DATABASE_TEST(a_cursor_of_another_list_or_none_at_all_is_refused) {
  co_await fill(db);
  co_await db.read([&](Session& s) -> awaitable<void> {
    auto by_enchantment = s.select<Shield>().order_by(S.enchantment.asc()).limit(5);
    const std::string cursor = *(co_await by_enchantment.page()).next;
    co_await open_page(s, cursor);
    for (const char c : cursor) BOOST_TEST((std::isalnum(c) || c == '-' || c == '_'));

    BOOST_TEST(
        (co_await error_of(open_page(s, ""), Errc::invalid)).find("query/after: is not a cursor") !=
        std::string::npos);
    co_await error_of(open_page(s, "nonsense!"), Errc::invalid);
    co_await error_of(open_page(s, cursor + "AAAA"), Errc::invalid);
    co_await error_of(open_page(s, cursor.substr(0, cursor.size() - 4)), Errc::invalid);
    for (const auto& other :
         {*(co_await s.select<Shield>().order_by(S.enchantment.desc()).limit(5).page()).next,
          *(co_await s.select<Shield>().order_by(S.material.asc()).limit(5).page()).next,
          *(co_await s.select<Shield>().limit(5).page()).next}) {
      co_await error_of(open_page(s, other), Errc::invalid);
    }

    // Whatever is changed in it: another place, or an error of the one who changed it.
    std::mt19937 random(2);
    for (int i = 0; i < 500; ++i) {
      std::string changed = cursor;
      changed[random() % changed.size()] = static_cast<char>('0' + random() % 75);
      try {
        co_await open_page(s, changed);
      } catch (const Error& error) {
        BOOST_TEST((error.code() == Errc::invalid));
      }
    }
  });
}

DATABASE_TEST(pages_in_the_order_of_every_kind_of_column) {
  co_await db.session([&](Session& s) -> awaitable<void> {
    std::mt19937_64 random(3);
    std::vector<Everything> rows(20);
    for (auto& row : rows) {
      row.flag = random() % 2;
      row.large = static_cast<std::int64_t>(random());
      row.real = std::ldexp(static_cast<double>(random() % 1000), -3);
      row.bytes.assign(random() % 3, std::byte(random() % 4));
      row.moment = aegis::Timestamp(std::chrono::microseconds(random() % 1000));
      row.duration = std::chrono::milliseconds(random() % 5);
      if (random() % 2) row.maybe_moment = row.moment;
      if (random() % 2) row.maybe_flag = row.flag;
    }
    co_await s.insert_all(rows);
    constexpr auto E = Everything::col;
    for (const aegis::Order by :
         {E.flag.asc(), E.large.desc(), E.real.asc(), E.bytes.desc(), E.moment.asc(),
          E.duration.asc(), E.maybe_moment.desc(), E.maybe_flag.asc(), E.maybe_bytes.asc()}) {
      auto query = s.select<Everything>().order_by(by).limit(3);
      std::vector<std::int64_t> seen;
      std::optional<std::string> cursor;
      do {
        auto page = co_await query.page(cursor);
        for (const auto& row : page.items) seen.push_back(*row.id);
        cursor = page.next;
      } while (cursor);
      std::ranges::sort(seen);
      BOOST_TEST(seen.size() == rows.size());
      BOOST_TEST((std::ranges::adjacent_find(seen) == seen.end()), by.column);
    }
  });
}
