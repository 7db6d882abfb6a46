// Which applications have a database: those that have a use for one.
#define BOOST_TEST_MODULE app
#include <boost/test/unit_test.hpp>

#include "aegis/aegis.h"
#include "app/parts.h"

using namespace aegis;

namespace {

struct Note {
  std::optional<std::int64_t> id{};
  std::string text{};

  AEGIS_TABLE(Note, "note", (id, primary_key), (text))
};

struct Tidy {
  AEGIS_FIELDS(Tidy)
  awaitable<void> run(JobContext&) { co_return; }
};

awaitable<std::string> greet() {
  co_return "hello";
}
awaitable<std::string> count(Session&) {
  co_return "0";
}
awaitable<std::string> look(Database&) {
  co_return "0";
}

bool needs_database(App& app) {
  app.parts().add_routes([] { return std::string(); });
  return app.parts().needs_database();
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_application_of_handlers_alone_needs_none) {
  App app("greeter");
  app.routes([](Router& router) { router.get("/", greet); });
  BOOST_TEST(!needs_database(app));
  app.parts().use_database(nullptr);
  BOOST_TEST(!app.parts().services.has(Services::key<Database>()));
}

BOOST_AUTO_TEST_CASE(models_jobs_and_schedules_need_one) {
  App with_model("a"), with_job("b"), with_schedules("c");
  BOOST_TEST(needs_database(with_model.models<Note>()));
  BOOST_TEST(needs_database(with_job.jobs<Tidy>()));
  BOOST_TEST(needs_database(with_schedules.schedules([](Schedules&) {})));
}

BOOST_AUTO_TEST_CASE(handlers_that_take_a_session_or_the_database_need_one) {
  App with_session("a"), with_database("b");
  with_session.routes([](Router& router) { router.get("/", count); });
  with_database.routes([](Router& router) { router.get("/", look); });
  BOOST_TEST(needs_database(with_session));
  BOOST_TEST(needs_database(with_database));
}
