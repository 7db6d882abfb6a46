// The OpenAPI document that follows from handlers' types, and the pages that show it.
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>

#include "handle.h"
#include "http/openapi.h"

using namespace aegis;
using namespace aegis::testing;

namespace json = boost::json;

namespace {

struct Shield {
  std::optional<std::int64_t> id{};
  std::string name{};
  int defense_rating = 10;
  std::string material = "iron";
  std::optional<std::string> enchantment{};

  AEGIS_FIELDS(Shield, (id, primary_key), (name, min_length(1), max_length(80)),
               (defense_rating, ge(0), le(100)), (material, one_of("iron", "oak")),
               (enchantment, one_of("fire", "ice"), doc("What it glows of.")))
};

/// One of every type.
struct Everything {
  bool yes = true;
  std::int16_t small = 0;
  std::uint32_t positive = 0;
  double real = 0.5;
  Bytes bytes{};
  std::optional<Timestamp> when{};
  std::chrono::milliseconds wait{1500};
  std::vector<std::string> words{"a"};
  std::optional<std::vector<int>> numbers{};
  std::optional<Shield> shield{};
  std::vector<Everything> children{};

  AEGIS_FIELDS(Everything, (yes), (small), (positive), (real, ge(0.0), le(1.0)), (bytes), (when),
               (wait), (words), (numbers), (shield), (children))
};

struct Search {
  std::optional<std::string> material{};
  int limit = 50;
  std::vector<std::string> tags{};

  AEGIS_FIELDS(Search, (material, doc("Only of this.")), (limit, ge(1), le(200)), (tags))
};

namespace other {
struct Shield {
  std::string text{};
  AEGIS_FIELDS(Shield, (text))
};
}  // namespace other

template <class T>
struct Pile {
  std::vector<T> items{};
  AEGIS_FIELDS(Pile, (items))
};

struct Api : Router {
  Api() {
    post("/shields", [](Body<Shield> in) -> awaitable<Created<Shield>> { co_return *in; })
        .summary("Forge a shield")
        .tag("shields");
    get("/shields",
        [](QueryOf<Search>) -> awaitable<std::vector<Shield>> { co_return std::vector<Shield>{}; });
    get("/shields/{id}", [](Path<"id", std::int64_t>) -> awaitable<std::optional<Shield>> {
      co_return std::nullopt;
    });
    patch("/shields/{id}", [](Path<"id", std::int64_t>, Body<Patch<Shield>>) -> awaitable<Shield> {
      co_return Shield{};
    });
    del("/shields/{id}", [](Path<"id", std::int64_t>) -> awaitable<void> { co_return; });
    get("/shields/by_id", []() -> awaitable<other::Shield> { co_return other::Shield{}; });
    put("/everything", [](Body<Everything> in) -> awaitable<Everything> { co_return *in; });
    get("/files/{path*}",
        [](Query<"since", std::optional<Timestamp>>,
           Header<"X-Tenant", int>) -> awaitable<std::string> { co_return ""; });
    get("/raw", []() -> awaitable<Response> { co_return Response(); });
    get("/secret", []() -> awaitable<void> { co_return; }).hide();
  }
};

const std::string& document_text() {
  static const std::string text = openapi("Shields", "1.2.3", Api(), "All about shields.");
  return text;
}

json::value document() {
  return json::parse(document_text());
}

/// The part of the document at `pointer`, on one line.
std::string at(std::string_view pointer) {
  return json::serialize(document().at_pointer(pointer));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(described)

BOOST_AUTO_TEST_CASE(the_service_and_its_operations) {
  BOOST_TEST(at("/openapi") == R"("3.1.0")");
  BOOST_TEST(at("/info") ==
             R"({"title":"Shields","version":"1.2.3","description":"All about shields."})");
  const auto paths = document().at("paths").as_object();
  BOOST_TEST(paths.size() == 6);
  BOOST_TEST(!paths.contains("/secret"));
  BOOST_TEST(paths.contains("/files/{path}"));
  BOOST_TEST(at("/paths/~1shields/post/operationId") == R"("post_shields")");
  BOOST_TEST(at("/paths/~1shields~1{id}/get/operationId") == R"("get_shields_by_id")");
  BOOST_TEST(at("/paths/~1shields~1by_id/get/operationId") == R"("get_shields_by_id_2")");
  BOOST_TEST(at("/paths/~1shields/post/summary") == R"("Forge a shield")");
  BOOST_TEST(at("/paths/~1shields/post/tags") == R"(["shields"])");
}

BOOST_AUTO_TEST_CASE(inputs) {
  BOOST_TEST(at("/paths/~1shields~1{id}/get/parameters") ==
             R"([{"name":"id","in":"path","required":true,)"
             R"("schema":{"type":"integer","format":"int64"}}])");
  BOOST_TEST(at("/paths/~1shields/get/parameters") ==
             R"([{"name":"material","in":"query","description":"Only of this.",)"
             R"("schema":{"type":"string"}},)"
             R"({"name":"limit","in":"query","schema":)"
             R"({"type":"integer","format":"int32","minimum":1,"maximum":200,"default":50}},)"
             R"({"name":"tags","in":"query","schema":)"
             R"({"type":"array","items":{"type":"string"},"default":[]}}])");
  BOOST_TEST(at("/paths/~1files~1{path}/get/parameters") ==
             R"([{"name":"since","in":"query","schema":{"type":"string","format":"date-time"}},)"
             R"({"name":"X-Tenant","in":"header","required":true,)"
             R"("schema":{"type":"integer","format":"int32"}},)"
             R"({"name":"path","in":"path","required":true,"schema":{"type":"string"}}])");
  BOOST_TEST(at("/paths/~1shields/post/requestBody") ==
             R"({"required":true,"content":{"application/json":)"
             R"({"schema":{"$ref":"#/components/schemas/Shield"}}}})");
  BOOST_TEST(at("/paths/~1shields~1{id}/patch/requestBody/content") ==
             R"({"application/json":{"schema":{"$ref":"#/components/schemas/ShieldPatch"}},)"
             R"("application/merge-patch+json":)"
             R"({"schema":{"$ref":"#/components/schemas/ShieldPatch"}}})");
}

BOOST_AUTO_TEST_CASE(replies) {
  const auto statuses = [](std::string_view pointer) {
    std::string all;
    const json::value whole = document();
    for (const auto& [status, _] : whole.at_pointer(pointer).as_object()) {
      all += std::string(status) + " ";
    }
    return all;
  };
  BOOST_TEST(statuses("/paths/~1shields/post/responses") == "201 409 422 default ");
  BOOST_TEST(statuses("/paths/~1shields/get/responses") == "200 422 default ");
  BOOST_TEST(statuses("/paths/~1shields~1{id}/get/responses") == "200 404 422 default ");
  BOOST_TEST(statuses("/paths/~1shields~1{id}/delete/responses") == "204 404 422 default ");
  BOOST_TEST(statuses("/paths/~1raw/get/responses") == "2XX default ");
  BOOST_TEST(at("/paths/~1shields/post/responses/201/headers/Location/schema/format") ==
             R"("uri-reference")");
  BOOST_TEST(at("/paths/~1shields/get/responses/200/content") ==
             R"({"application/json":{"schema":)"
             R"({"type":"array","items":{"$ref":"#/components/schemas/Shield"}}}})");
  BOOST_TEST(at("/paths/~1files~1{path}/get/responses/200/content") ==
             R"({"text/plain; charset=utf-8":{"schema":{"type":"string"}}})");
  BOOST_TEST(at("/paths/~1shields/post/responses/422/content") ==
             R"({"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}})");
}

BOOST_AUTO_TEST_CASE(structs_with_their_rules) {
  BOOST_TEST(at("/components/schemas/Shield") ==
             R"({"type":"object","properties":{)"
             R"("id":{"type":["integer","null"],"format":"int64","readOnly":true},)"
             R"("name":{"type":"string","minLength":1,"maxLength":80},)"
             R"("defense_rating":{"type":"integer","format":"int32","minimum":0,"maximum":100,)"
             R"("default":10},)"
             R"("material":{"type":"string","enum":["iron","oak"],"default":"iron"},)"
             R"("enchantment":{"type":["string","null"],"enum":["fire","ice",null],)"
             R"("description":"What it glows of."}},)"
             R"("required":["name"]})");
  BOOST_TEST(at("/components/schemas/ShieldPatch") ==
             R"({"type":"object","properties":{)"
             R"("name":{"type":"string","minLength":1,"maxLength":80},)"
             R"("defense_rating":{"type":"integer","format":"int32","minimum":0,"maximum":100},)"
             R"("material":{"type":"string","enum":["iron","oak"]},)"
             R"("enchantment":{"type":["string","null"],"enum":["fire","ice",null],)"
             R"("description":"What it glows of."}}})");
  BOOST_TEST(at("/components/schemas/Shield2/properties/text/type") == R"("string")");
}

BOOST_AUTO_TEST_CASE(every_type) {
  const auto property = [](std::string_view name) {
    return at("/components/schemas/Everything/properties/" + std::string(name));
  };
  BOOST_TEST(property("yes") == R"({"type":"boolean","default":true})");
  BOOST_TEST(property("small") ==
             R"({"type":"integer","minimum":-32768,"maximum":32767,"default":0})");
  BOOST_TEST(property("positive") ==
             R"({"type":"integer","minimum":0,"maximum":4294967295,"default":0})");
  BOOST_TEST(property("real") ==
             R"({"type":"number","format":"double","minimum":0,"maximum":1,"default":5E-1})");
  BOOST_TEST(property("bytes") == R"({"type":"string","contentEncoding":"base64","default":""})");
  BOOST_TEST(property("when") == R"({"type":["string","null"],"format":"date-time"})");
  BOOST_TEST(property("wait") ==
             R"({"type":"string","pattern":"^-?[0-9]+(ms|s|m|h|d)$","default":"1500ms"})");
  BOOST_TEST(property("words") == R"({"type":"array","items":{"type":"string"},"default":["a"]})");
  BOOST_TEST(property("numbers") ==
             R"({"anyOf":[{"type":"array","items":{"type":"integer","format":"int32"}},)"
             R"({"type":"null"}]})");
  BOOST_TEST(property("shield") ==
             R"({"anyOf":[{"$ref":"#/components/schemas/Shield"},{"type":"null"}]})");
  BOOST_TEST(property("children") ==
             R"({"type":"array","items":{"$ref":"#/components/schemas/Everything"},"default":[]})");
}

BOOST_AUTO_TEST_CASE(the_text_is_stable_and_indented) {
  BOOST_TEST(document_text() == openapi("Shields", "1.2.3", Api(), "All about shields."));
  BOOST_TEST(document_text().starts_with("{\n  \"openapi\": \"3.1.0\",\n  \"info\": {\n"));
  BOOST_TEST(document_text().ends_with("}\n"));
  BOOST_TEST(document_text().find("\"default\": 0.5") != std::string::npos);
  std::ofstream(OPENAPI_SAMPLE) << document_text();  // for the validator, the next test
}

BOOST_AUTO_TEST_CASE(no_routes_are_a_document_too) {
  BOOST_TEST(json::parse(openapi("Empty", "0", Router())).at("paths").as_object().empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(served)

namespace {

struct Documented : Api {
  Documented() { add_docs_routes(*this, "Shields", "1.2.3", "All about shields."); }
};

Response fetch(std::string target, std::vector<Request::Header> headers = {}) {
  static const Documented api;
  return handle(api, {.target = std::move(target), .headers = std::move(headers)});
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_document) {
  const Response reply = fetch("/openapi.json");
  BOOST_TEST(reply.status() == 200);
  BOOST_TEST(reply.content_type() == "application/json");
  BOOST_TEST(reply.body() == document_text());
}

BOOST_AUTO_TEST_CASE(the_page_loads_nothing_from_elsewhere) {
  const Response page = fetch("/docs");
  BOOST_TEST(page.status() == 200);
  BOOST_TEST(page.content_type() == "text/html; charset=utf-8");
  BOOST_TEST(page.body().find("://") == std::string::npos);
  BOOST_TEST(page.header("Content-Security-Policy").starts_with("default-src 'none'; "));
  BOOST_TEST(page.header("Content-Security-Policy").find("unsafe") == std::string_view::npos);
  BOOST_TEST(page.header("X-Content-Type-Options") == "nosniff");
  for (const auto& [file, type] : {std::pair{"init.js", "text/javascript; charset=utf-8"},
                                   {"swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
                                   {"swagger-ui.css", "text/css; charset=utf-8"},
                                   {"LICENSE", "text/plain; charset=utf-8"}}) {
    BOOST_TEST_CONTEXT(file) {
      const Response reply = fetch("/docs/" + std::string(file));
      BOOST_TEST(reply.status() == 200);
      BOOST_TEST(reply.content_type() == type);
      BOOST_TEST(!reply.body().empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(files_come_compressed_to_those_who_take_it) {
  const auto encoding = [](std::string_view accepted) {
    return std::string(
        fetch("/docs/swagger-ui.css", {{"Accept-Encoding", accepted}}).header("Content-Encoding"));
  };
  for (const auto* accepted : {"gzip", "br, gzip", "deflate;q=1,GZIP ; q=0.5"}) {
    BOOST_TEST_CONTEXT(accepted) BOOST_TEST(encoding(accepted) == "gzip");
  }
  for (const auto* accepted : {"", "br", "gzip;q=0", "gzip; q=0.000", "gzipped"}) {
    BOOST_TEST_CONTEXT(accepted) BOOST_TEST(encoding(accepted) == "");
  }
  const Response plain = fetch("/docs/swagger-ui.css");
  const Response gzip = fetch("/docs/swagger-ui.css", {{"Accept-Encoding", "gzip"}});
  BOOST_TEST(gzip.body().size() < plain.body().size() / 2);
  BOOST_TEST(gzip.body().starts_with("\x1f\x8b"));
  BOOST_TEST(plain.header("Vary") == "Accept-Encoding");
  BOOST_TEST(gzip.header("ETag") != plain.header("ETag"));
}

BOOST_AUTO_TEST_CASE(what_the_client_has_is_not_sent_again) {
  for (const auto* target : {"/openapi.json", "/docs", "/docs/swagger-ui-bundle.js"}) {
    BOOST_TEST_CONTEXT(target) {
      const std::string tag(fetch(target).header("ETag"));
      BOOST_TEST(tag.starts_with("\""));
      for (const auto& known : {tag, "\"other\", W/" + tag, std::string("*")}) {
        const Response reply = fetch(target, {{"If-None-Match", known}});
        BOOST_TEST(reply.status() == 304);
        BOOST_TEST(reply.body().empty());
        BOOST_TEST(reply.header("ETag") == tag);
      }
      BOOST_TEST(fetch(target, {{"If-None-Match", "\"other\""}}).status() == 200);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_template_has_a_name_for_each_of_its_types) {
  Router router;
  router.get("/shields", []() -> awaitable<Pile<Shield>> { co_return Pile<Shield>{}; });
  router.get("/piles",
             []() -> awaitable<Pile<Pile<Everything>>> { co_return Pile<Pile<Everything>>{}; });
  const json::value document = json::parse(openapi("Piles", "1", router));
  const auto& schemas = document.at("components").at("schemas").as_object();
  for (const auto* name : {"PileOfShield", "PileOfPileOfEverything", "PileOfEverything"}) {
    BOOST_TEST_CONTEXT(name) BOOST_TEST(schemas.contains(name));
  }
  BOOST_TEST(!schemas.contains("Pile"));
}

BOOST_AUTO_TEST_SUITE_END()
