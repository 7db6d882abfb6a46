// What handlers get from a request, what is said when they cannot, and what becomes of results.
#include <boost/test/unit_test.hpp>

#include "aegis/core/log.h"
#include "handle.h"

using namespace aegis;
using namespace aegis::testing;

namespace {

struct Shield {
  std::optional<std::int64_t> id{};
  std::string name{};
  int defense_rating = 10;
  std::optional<std::string> enchantment{};
  std::vector<std::string> runes{};

  AEGIS_FIELDS(Shield, (id, primary_key), (name, min_length(1), max_length(20)),
               (defense_rating, ge(0), le(100)), (enchantment), (runes))
};

struct Search {
  std::optional<std::string> material{};
  int limit = 50;
  std::string order = "id";
  std::vector<int> ratings{};
  bool broken = false;

  AEGIS_FIELDS(Search, (material), (limit, ge(1), le(200)), (order, one_of("id", "name")),
               (ratings), (broken))
};

struct Needed {
  std::string name{};
  AEGIS_FIELDS(Needed, (name, min_length(1)))
};

struct Named {
  std::string code{};
  AEGIS_FIELDS(Named, (code, primary_key))
};

struct Clock {
  int now = 7;
};

struct Api : Router {
  Api() {
    get("/path/{id}", [](Path<"id", std::int32_t> id) -> awaitable<std::string> {
      co_return std::to_string(*id);
    });
    get("/query",
        [](Query<"limit", int> limit, Query<"name", std::optional<std::string>> name,
           Query<"tag", std::vector<std::string>> tags) -> awaitable<std::string> {
          std::string text = std::to_string(*limit) + (*name ? " " + **name : "");
          for (const auto& tag : *tags) text += " #" + tag;
          co_return text;
        });
    get("/search", [](QueryOf<Search> in) -> awaitable<std::string> { co_return to_json(*in); });
    get("/search-more", [](QueryOf<Search> in, Query<"page", int> page) -> awaitable<std::string> {
      co_return std::to_string(in->limit) + " " + std::to_string(*page);
    });
    get("/needed", [](QueryOf<Needed> in) -> awaitable<std::string> { co_return in->name; });
    get("/header",
        [](Header<"X-Tenant"> tenant,
           Header<"X-Depth", std::optional<int>> depth) -> awaitable<std::string> {
          co_return *tenant + (*depth ? std::to_string(**depth) : "-");
        });
    post("/shields", [](Body<Shield> in) -> awaitable<Created<Shield>> {
      in->id = 5;
      co_return *in;
    });
    post("/many",
         [](Body<std::vector<Shield>> in) -> awaitable<std::vector<Shield>> { co_return *in; });
    patch("/shields/{id}", [](Body<Patch<Shield>> change) -> awaitable<Shield> {
      Shield shield{.id = 5, .name = "Aegis", .enchantment = "fire", .runes = {"a"}};
      change->apply_to(shield);
      co_return shield;
    });
    put("/all/{id}",
        [](Path<"id", int>, Query<"limit", int>, Header<"X-Tenant", int>,
           Body<Shield>) -> awaitable<void> { co_return; });
    post("/named/", [](Body<Named> in) -> awaitable<Created<Named>> { co_return *in; });
    get("/maybe/{id}", [](Path<"id", int> id) -> awaitable<std::optional<Shield>> {
      if (*id == 1) co_return Shield{.id = 1, .name = "Aegis"};
      co_return std::nullopt;
    });
    del("/shields/{id}", [](Path<"id", int>) -> awaitable<void> { co_return; });
    get("/raw", []() -> awaitable<Response> { co_return Response::text("tea", 418); });
    get("/clock", [](Service<Clock> clock, Request& request) -> awaitable<std::string> {
      co_return std::to_string(clock->now) + request.id;
    });
  }
};

const Api& api() {
  static const Api instance;
  return instance;
}

Response send(Method method, std::string target, std::string body,
              std::vector<Request::Header> headers = {}) {
  return handle(api(), {method, std::move(target), std::move(body), std::move(headers)});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(texts)

BOOST_AUTO_TEST_CASE(a_path_segment_has_its_type) {
  BOOST_TEST(get(api(), "/path/42").body() == "42");
  BOOST_TEST(get(api(), "/path/-1").body() == "-1");
  for (const auto* id : {"x", "4x", "99999999999", "1.5", "%20"}) {
    BOOST_TEST_CONTEXT(id) {
      const Response reply = get(api(), "/path/" + std::string(id));
      BOOST_TEST(reply.status() == 422);
      BOOST_TEST(errors_of(reply).starts_with("path/id: must be"));
    }
  }
}

BOOST_AUTO_TEST_CASE(query_parameters_have_their_types) {
  BOOST_TEST(get(api(), "/query?limit=5").body() == "5");
  BOOST_TEST(get(api(), "/query?limit=5&name=Dragon+Scale%21&tag=a&tag=b+c").body() ==
             "5 Dragon Scale! #a #b c");
  BOOST_TEST(get(api(), "/query?&&limit=5&").body() == "5");
  BOOST_TEST(get(api(), "/query?l%69mit=5&other=x").body() == "5");
  BOOST_TEST(errors_of(get(api(), "/query")) == "query/limit: is required");
  BOOST_TEST(errors_of(get(api(), "/query?limit")).starts_with("query/limit: must be"));
  BOOST_TEST(errors_of(get(api(), "/query?limit=5&limit=6")) ==
             "query/limit: is given more than once");
  BOOST_TEST(get(api(), "/query?limit=5&name=a=b").body() == "5 a=b");
}

BOOST_AUTO_TEST_CASE(a_query_that_cannot_be_read_is_malformed) {
  for (const auto* query :
       {"limit=%", "limit=5&x=%zz", "limit=5&%f=1", "limit=5&name=%ff", "limit=5&name=%00"}) {
    BOOST_TEST_CONTEXT(query)
    BOOST_TEST(get(api(), "/query?" + std::string(query)).status() == 400);
  }
  std::string many = "/query?limit=5";
  for (int i = 0; i < 99; ++i) many += "&tag=x";
  BOOST_TEST(get(api(), many).status() == 200);
  BOOST_TEST(get(api(), many + "&tag=x").status() == 400);
}

BOOST_AUTO_TEST_CASE(a_struct_of_query_parameters_keeps_its_defaults_and_rules) {
  BOOST_TEST(get(api(), "/search").body() ==
             R"({"material":null,"limit":50,"order":"id","ratings":[],"broken":false})");
  BOOST_TEST(get(api(), "/search?material=iron&limit=7&order=name&ratings=3&ratings=4&broken=true")
                 .body() ==
             R"({"material":"iron","limit":7,"order":"name","ratings":[3,4],"broken":true})");
  const Response reply = get(api(), "/search?limit=0&order=size&ratings=x&ratings=1");
  BOOST_TEST(reply.status() == 422);
  BOOST_TEST(errors_of(reply) ==
             "query/ratings: must be an integer; query/limit: must be at least 1; "
             "query/order: must be one of: id, name");
}

BOOST_AUTO_TEST_CASE(unknown_query_parameters_are_told_what_was_meant) {
  BOOST_TEST(errors_of(get(api(), "/search?limits=5")) ==
             "query/limits: unknown parameter; did you mean \"limit\"?");
  BOOST_TEST(errors_of(get(api(), "/search?zzz=5")) == "query/zzz: unknown parameter");
  BOOST_TEST(get(api(), "/search-more?page=2&limit=3").body() == "3 2");
  BOOST_TEST(errors_of(get(api(), "/search-more?page=2&pages=3")) ==
             "query/pages: unknown parameter");
}

BOOST_AUTO_TEST_CASE(a_default_that_breaks_its_rules_is_no_default) {
  BOOST_TEST(errors_of(get(api(), "/needed")) == "query/name: is required");
  BOOST_TEST(get(api(), "/needed?name=x").body() == "x");
}

BOOST_AUTO_TEST_CASE(headers_are_found_in_any_case) {
  BOOST_TEST(send(Method::get, "/header", "", {{"x-tenant", "acme"}}).body() == "acme-");
  BOOST_TEST(send(Method::get, "/header", "", {{"X-TENANT", "a"}, {"x-depth", "3"}}).body() ==
             "a3");
  BOOST_TEST(errors_of(get(api(), "/header")) == "header/X-Tenant: is required");
  BOOST_TEST(errors_of(send(Method::get, "/header", "", {{"X-Tenant", "a"}, {"X-Tenant", "b"}})) ==
             "header/X-Tenant: is given more than once");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(bodies)

BOOST_AUTO_TEST_CASE(a_body_is_read_and_checked) {
  const Response made = send(Method::post, "/shields", R"({"name":"Dragon Scale","runes":["a"]})");
  BOOST_TEST(made.status() == 201);
  BOOST_TEST(made.header("Location") == "/shields/5");
  BOOST_TEST(made.content_type() == "application/json");
  BOOST_TEST(
      made.body() ==
      R"({"id":5,"name":"Dragon Scale","defense_rating":10,"enchantment":null,"runes":["a"]})");

  const Response bad = send(Method::post, "/shields", R"({"defense_rating":101,"nam":"x"})");
  BOOST_TEST(bad.status() == 422);
  BOOST_TEST(errors_of(bad).find("/nam: unknown field; did you mean \"name\"?") !=
             std::string::npos);
  BOOST_TEST(errors_of(bad).find("/name: is required") != std::string::npos);
  BOOST_TEST(errors_of(bad).find("/defense_rating: must be at most 100") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_key_that_the_database_fills_cannot_be_sent) {
  BOOST_TEST(errors_of(send(Method::post, "/shields", R"({"id":1,"name":"x"})")) ==
             "/id: unknown field");
  const Response named = send(Method::post, "/named/", R"({"code":"a b/ü"})");
  BOOST_TEST(named.status() == 201);
  BOOST_TEST(named.header("Location") == "/named/a%20b%2F%C3%BC");
}

BOOST_AUTO_TEST_CASE(a_vector_is_a_body_too) {
  BOOST_TEST(send(Method::post, "/many", R"([{"name":"a"},{"name":"b"}])").status() == 200);
  BOOST_TEST(errors_of(send(Method::post, "/many", R"([{"name":"a"},{"name":""}])"))
                 .starts_with("/1/name: must be"));
}

BOOST_AUTO_TEST_CASE(a_body_that_is_no_json_is_malformed) {
  for (const auto* body : {"", " ", "{", "name=x", "{\"name\":}", "\xff"}) {
    BOOST_TEST_CONTEXT(body) {
      const Response reply = send(Method::post, "/shields", body);
      BOOST_TEST(reply.status() == 400);
      BOOST_TEST(reply.content_type() == "application/problem+json");
    }
  }
}

BOOST_AUTO_TEST_CASE(the_content_type_must_be_json_when_it_is_given) {
  const auto status = [](std::string_view type) {
    return send(Method::post, "/shields", R"({"name":"x"})", {{"Content-Type", type}}).status();
  };
  for (const auto* type : {"application/json", "Application/JSON; charset=utf-8",
                           "application/vnd.acme+json", "application/json ;x=1"}) {
    BOOST_TEST_CONTEXT(type) BOOST_TEST(status(type) == 201);
  }
  for (const auto* type :
       {"text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json"}) {
    BOOST_TEST_CONTEXT(type) BOOST_TEST(status(type) == 415);
  }
}

BOOST_AUTO_TEST_CASE(a_patch_changes_what_it_names) {
  const auto patched = [](std::string body) {
    return send(Method::patch, "/shields/5", std::move(body)).body();
  };
  BOOST_TEST(patched("{}") ==
             R"({"id":5,"name":"Aegis","defense_rating":10,"enchantment":"fire","runes":["a"]})");
  BOOST_TEST(patched(R"({"enchantment":null,"defense_rating":99,"runes":["b","c"]})") ==
             R"({"id":5,"name":"Aegis","defense_rating":99,"enchantment":null,"runes":["b","c"]})");
  BOOST_TEST(errors_of(send(Method::patch, "/shields/5", R"({"id":6})")) == "/id: unknown field");
  BOOST_TEST(
      errors_of(send(Method::patch, "/shields/5", R"({"name":""})")).starts_with("/name: must be"));
}

BOOST_AUTO_TEST_CASE(all_bad_inputs_are_told_at_once) {
  const Response reply = send(Method::put, "/all/x?limit=y", R"({"name":1})", {{"X-Tenant", "z"}});
  BOOST_TEST(reply.status() == 422);
  BOOST_TEST(errors_of(reply) ==
             "path/id: must be an integer; query/limit: must be an integer; "
             "header/X-Tenant: must be an integer; /name: must be a string");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(results)

BOOST_AUTO_TEST_CASE(results_become_replies) {
  BOOST_TEST(get(api(), "/maybe/1").status() == 200);
  BOOST_TEST(get(api(), "/maybe/2").status() == 404);
  BOOST_TEST(detail_of(get(api(), "/maybe/2")) == "There is nothing at /maybe/2.");
  BOOST_TEST(send(Method::del, "/shields/5", "").status() == 204);
  BOOST_TEST(get(api(), "/raw").status() == 418);
  BOOST_TEST(get(api(), "/path/1").content_type() == "text/plain; charset=utf-8");
}

BOOST_AUTO_TEST_CASE(services_are_found_by_type) {
  Services services;
  Clock clock;
  services.provide(clock);
  BOOST_TEST(handle(api(), {.target = "/clock", .services = &services}).body() == "7test-request");

  log::Capture logged;
  const Services none;
  BOOST_TEST(handle(api(), {.target = "/clock", .services = &none}).status() == 500);
  BOOST_TEST(logged.contains("Clock, which nobody provides"));
}

BOOST_AUTO_TEST_CASE(endpoints_tell_what_they_need) {
  for (const auto& endpoint : api().endpoints()) {
    if (endpoint->path != "/clock") continue;
    BOOST_REQUIRE(endpoint->needs.size() == 1);
    BOOST_TEST((endpoint->needs[0].key == Services::key<Clock>()));
    BOOST_TEST(endpoint->needs[0].type.ends_with("Clock"));
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(start)

namespace {

struct Deep {
  Needed inner{};
  AEGIS_FIELDS(Deep, (inner))
};

template <class F>
std::string refusal(F handler, Method method = Method::post) {
  Router router;
  try {
    if (method == Method::post) {
      router.post("/x/{id}", handler);
    } else {
      router.get("/x/{id}", handler);
    }
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_can_never_work_is_refused) {
  BOOST_TEST(refusal([](Path<"id", std::vector<int>>) -> awaitable<void> { co_return; }) ==
             "POST /x/{id}: the path parameter \"id\" has a type that cannot be read from text; it "
             "takes a scalar.");
  BOOST_TEST(
      refusal([](QueryOf<Deep>) -> awaitable<void> { co_return; }) ==
      "POST /x/{id}: the query parameter \"inner\" has a type that cannot be read from text; "
      "it takes a scalar or a vector of scalars.");
  BOOST_TEST(refusal([](Query<"limit", int>, QueryOf<Search>) -> awaitable<void> { co_return; }) ==
             "POST /x/{id}: the handler asks for the query parameter \"limit\" twice.");
  BOOST_TEST(refusal([](Body<Needed>, Body<Search>) -> awaitable<void> { co_return; }) ==
             "POST /x/{id}: the handler asks for two bodies.");
  BOOST_TEST(refusal([](Body<Needed>) -> awaitable<void> { co_return; }, Method::get) ==
             "GET /x/{id}: a GET has no body to ask for.");
  BOOST_TEST(
      refusal([]() -> awaitable<Created<Needed>> { co_return Needed{}; }) ==
      "POST /x/{id}: the handler answers Created<Needed>, which has no primary key to make a "
      "Location of.");
}

BOOST_AUTO_TEST_SUITE_END()
