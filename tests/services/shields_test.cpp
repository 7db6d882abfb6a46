#include <aegis/testing/testing.h>

#include "models/shield.h"
#include "worker/appraise_shield.h"  // [worker]
#include "worker/inscribe_runes.h"   // [worker]
#include "worker/polish_shields.h"   // [scheduler]

using namespace aegis;

namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Forges a shield; answers its path. (Its key is the database's to choose.)
awaitable<std::string> forge(testing::TestApp& app, std::string json) {
  const auto reply = co_await app.post("/shields", std::move(json));
  BOOST_REQUIRE_EQUAL(reply.status(), 201);
  co_return std::string(reply.header("Location"));
}

std::string key_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

AEGIS_TEST_CASE(a_forged_shield_can_be_shown) {
  auto forged = co_await app.post("/shields", R"({"name":"Dragon Scale"})");
  BOOST_REQUIRE_EQUAL(forged.status(), 201);
  const std::string path(forged.header("Location"));
  BOOST_TEST(path.starts_with("/shields/"));

  auto shown = co_await app.get(path);
  BOOST_TEST(shown.status() == 200);
  BOOST_TEST(shown.body() == R"({"id":)" + key_of(path) +
                                 R"(,"name":"Dragon Scale","defense_rating":10,"material":"iron",)"
                                 R"("enchantment":null})");
  BOOST_TEST(shown.body() == forged.body());
}

AEGIS_TEST_CASE(every_bad_field_is_named) {
  auto reply = co_await app.post("/shields",
                                 R"({"name":"","defense_rating":101,"material":7,"colour":"red"})");
  BOOST_TEST(reply.status() == 422);
  BOOST_TEST(reply.content_type() == "application/problem+json");
  for (const auto* field : {"/name", "/defense_rating", "/material", "/colour"}) {
    BOOST_TEST(contains(reply.body(), field));
  }
}

AEGIS_TEST_CASE(a_name_must_be_given) {
  auto reply = co_await app.post("/shields", "{}");
  BOOST_TEST(reply.status() == 422);
  BOOST_TEST(contains(reply.body(), "/name"));
}

AEGIS_TEST_CASE(a_taken_name_is_a_conflict_and_nothing_is_stored) {
  BOOST_TEST((co_await app.post("/shields", R"({"name":"Aegis"})")).status() == 201);
  auto reply = co_await app.post("/shields", R"({"name":"Aegis"})");
  BOOST_TEST(reply.status() == 409);
  BOOST_TEST(contains(reply.body(), "name"));
  const auto count = co_await app.db().read(
      [](Session& s) -> awaitable<std::int64_t> { return s.select<Shield>().count(); });
  BOOST_TEST(count == 1);
}

AEGIS_TEST_CASE(an_absent_shield_is_a_404) {
  for (auto reply : {co_await app.get("/shields/42"), co_await app.del("/shields/42"),
                     co_await app.patch("/shields/42", R"({"name":"x"})")}) {
    BOOST_TEST(reply.status() == 404);
    BOOST_TEST(reply.content_type() == "application/problem+json");
  }
}

AEGIS_TEST_CASE(a_list_filters_and_orders) {
  co_await app.db().session([](Session& s) -> awaitable<void> {
    std::vector<Shield> shields(3);
    shields[0] = {.name = "Buckler", .defense_rating = 20, .material = "wood"};
    shields[1] = {.name = "Aegis", .defense_rating = 90, .material = "bronze"};
    shields[2] = {.name = "Round", .defense_rating = 30, .material = "wood"};
    co_await s.insert_all(shields);
  });
  auto wood = co_await app.get("/shields?material=wood&order=-defense_rating");
  BOOST_REQUIRE_EQUAL(wood.status(), 200);
  BOOST_TEST(!contains(wood.body(), "Aegis"));
  BOOST_TEST(wood.body().find("Round") < wood.body().find("Buckler"));

  auto strong = co_await app.get("/shields?min_defense=50");
  BOOST_TEST(contains(strong.body(), "Aegis"));
  BOOST_TEST(!contains(strong.body(), "Round"));
}

AEGIS_TEST_CASE(pages_show_every_shield_once) {
  co_await app.db().session([](Session& s) -> awaitable<void> {
    std::vector<Shield> shields;
    for (int i = 0; i < 7; ++i) {
      shields.push_back({.name = "Shield " + std::to_string(i), .defense_rating = i % 3});
    }
    co_await s.insert_all(shields);
  });
  std::vector<std::string> names;
  std::optional<std::string> after;
  int pages = 0;
  do {
    auto page = co_await app.db().read([&](Session& s) -> awaitable<Page<Shield>> {
      return s.select<Shield>().order_by(Shield::col.defense_rating.desc()).limit(3).page(after);
    });
    for (const auto& shield : page.items) names.push_back(shield.name);
    after = page.next;
    ++pages;
  } while (after);
  BOOST_TEST(pages == 3);
  std::sort(names.begin(), names.end());
  BOOST_REQUIRE_EQUAL(names.size(), 7u);
  for (std::size_t i = 0; i < names.size(); ++i) {
    BOOST_TEST(names[i] == "Shield " + std::to_string(i));
  }

  auto first = co_await app.get("/shields?limit=5");
  BOOST_TEST(contains(first.body(), R"("next":")"));
  auto foreign = co_await app.get("/shields?after=nonsense");
  BOOST_TEST(foreign.status() == 422);
  BOOST_TEST(contains(foreign.body(), R"("errors":[{"pointer":"query/after")"));
}

AEGIS_TEST_CASE(a_patch_changes_what_it_names) {
  const auto path = co_await forge(app, R"({"name":"Aegis","enchantment":"fire"})");
  auto patched = co_await app.patch(path, R"({"defense_rating":99,"enchantment":null})");
  BOOST_REQUIRE_EQUAL(patched.status(), 200);
  BOOST_TEST(patched.body() ==
             R"({"id":)" + key_of(path) +
                 R"(,"name":"Aegis","defense_rating":99,"material":"iron","enchantment":null})");
  BOOST_TEST((co_await app.get(path)).body() == patched.body());

  BOOST_TEST((co_await app.patch(path, R"({"defense_rating":101})")).status() == 422);
  BOOST_TEST((co_await app.patch(path, R"({"id":5})")).status() == 422);
  BOOST_TEST((co_await app.patch(path, R"({"name":null})")).status() == 422);
}

AEGIS_TEST_CASE(a_melted_shield_is_gone) {
  const auto path = co_await forge(app, R"({"name":"Aegis"})");
  BOOST_TEST((co_await app.del(path)).status() == 204);
  BOOST_TEST((co_await app.get(path)).status() == 404);
}

AEGIS_TEST_CASE(two_changes_at_once_are_both_kept) {
  const auto path = co_await forge(app, R"({"name":"Aegis"})");
  co_await app.patch(path, R"({"material":"bronze"})");
  co_await app.patch(path, R"({"defense_rating":50})");
  auto shown = co_await app.get(path);
  BOOST_TEST(contains(shown.body(), "bronze"));
  BOOST_TEST(contains(shown.body(), "50"));
}

// [worker]
AEGIS_TEST_CASE(forging_a_shield_enqueues_its_runes) {
  const std::string path = co_await forge(app, R"({"name":"Dragon Scale","material":"bone"})");
  const auto waiting = co_await app.enqueued<InscribeRunes>();
  BOOST_REQUIRE(waiting.size() == 1);
  BOOST_TEST(std::to_string(waiting[0].shield_id) == key_of(path));

  const auto ran = co_await app.run_jobs();
  BOOST_TEST(ran.succeeded == 1);
  auto shown = co_await app.get(path);
  BOOST_TEST(contains(shown.body(), R"("enchantment":"runes of bone")"));
  BOOST_TEST((co_await app.enqueued<InscribeRunes>()).empty());
}

AEGIS_TEST_CASE(a_melted_shield_gets_no_runes) {
  const std::string path = co_await forge(app, R"({"name":"Dragon Scale"})");
  co_await app.del(path);
  const auto ran = co_await app.run_jobs();
  BOOST_TEST(ran.cancelled == 1);
}

AEGIS_TEST_CASE(a_refused_shield_leaves_no_job) {
  co_await forge(app, R"({"name":"Aegis"})");
  BOOST_TEST((co_await app.post("/shields", R"({"name":"Aegis"})")).status() == 409);
  BOOST_TEST((co_await app.enqueued<InscribeRunes>()).size() == 1);
}

AEGIS_TEST_CASE(a_job_for_later_waits_for_the_clock) {
  co_await app.db().session([](Session& s) -> awaitable<void> {
    co_await s.enqueue(InscribeRunes{.shield_id = 5}, {.delay = std::chrono::hours(1)});
  });
  BOOST_TEST((co_await app.run_jobs()).cancelled == 0);
  app.clock().advance(std::chrono::hours(1));
  BOOST_TEST((co_await app.run_jobs()).cancelled == 1);
}

AEGIS_TEST_CASE(a_shield_is_appraised_once_however_often_one_asks) {
  const std::string path = co_await forge(app, R"({"name":"Aegis","defense_rating":90})");
  const auto first = co_await app.post(path + "/appraisal", "");
  BOOST_TEST(first.status() == 200);
  BOOST_TEST((co_await app.post(path + "/appraisal", "")).body() == first.body());
  BOOST_TEST((co_await app.enqueued<AppraiseShield>()).size() == 1);
  const auto ran = co_await app.run_jobs();
  BOOST_TEST(ran.succeeded == 2);  // its runes too
  BOOST_TEST((co_await app.post("/shields/999/appraisal", "")).status() == 404);
}
// [/worker]

// [scheduler]
AEGIS_TEST_CASE(shields_are_polished_at_night) {
  co_await app.db().session([](Session& s) -> awaitable<void> {
    std::vector<Shield> shields(2);
    shields[0] = {.name = "Aegis"};
    shields[1] = {.name = "Ember", .enchantment = "fire"};
    co_await s.insert_all(shields);
  });
  app.clock().advance(std::chrono::hours(25));  // one of them is the hour, also where clocks change
  co_await app.fire_schedules();
  BOOST_TEST(!(co_await app.enqueued<PolishShields>()).empty());
  BOOST_TEST((co_await app.run_jobs()).failed == 0);
  const auto shown = co_await app.get("/shields?order=name");
  BOOST_TEST(contains(shown.body(), R"("enchantment":"polished")"));
  BOOST_TEST(contains(shown.body(), R"("enchantment":"fire")"));
}
// [/scheduler]
