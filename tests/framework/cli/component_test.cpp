// What is chosen with --components.
#include "cli/component.h"
#include "cli/usage_error.h"

#include <boost/test/unit_test.hpp>

using namespace aegis::cli;

namespace {

Choice choose(std::vector<std::string> words) {
  return Choice::of(words);
}

/// What the refusal of these words says.
std::string refusal(std::vector<std::string> words) {
  try {
    choose(std::move(words));
  } catch (const UsageError& error) {
    BOOST_TEST(!error.hint.empty());
    return error.what();
  }
  return "it was taken";
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_api_is_always_there) {
  BOOST_TEST(choose({}).text() == "API");
  BOOST_TEST(choose({"api"}).words() == "api");
  BOOST_TEST(!choose({"api"}).has("database"));
  BOOST_TEST(choose({"api"}).has("!database"));
}

BOOST_AUTO_TEST_CASE(a_database_is_sqlite_unless_one_says_otherwise) {
  for (const auto* word : {"database", "database[sqlite]", "database=sqlite", "sqlite"}) {
    BOOST_TEST(choose({word}).words() == "database=sqlite");
  }
  for (const auto* word : {"database[postgresql]", "database=postgresql", "database=postgres",
                           "postgres", "postgresql"}) {
    BOOST_TEST(choose({word}).words() == "database=postgresql");
    BOOST_TEST(!choose({word}).has("sqlite"));
  }
  BOOST_TEST(choose({"database", "postgres"}).words() == "database=postgresql");
}

BOOST_AUTO_TEST_CASE(what_a_component_needs_is_added_and_told) {
  const Choice choice = choose({"worker"});
  BOOST_TEST(choice.text() == "API, database (SQLite), worker");
  BOOST_REQUIRE(choice.added().size() == 1);
  BOOST_TEST(choice.added()[0] == "database: worker needs it");
  BOOST_TEST(choose({"worker", "database[postgresql]"}).added().empty());
  BOOST_TEST(choose({"scheduler"}).words() == "database=sqlite,worker,scheduler");
  BOOST_TEST(choose({"scheduler"}).added().size() == 2);
  BOOST_TEST(choose({"worker", "database[postgresql]"}).words() == "database=postgresql,worker");
}

BOOST_AUTO_TEST_CASE(what_there_is_not_is_refused) {
  BOOST_TEST(refusal({"databse"}) ==
             "There is no component \"databse\"; did you mean \"database\"?");
  BOOST_TEST(refusal({"redis"}) == "There is no component \"redis\"");
  BOOST_TEST(refusal({"database[sqlit]"}) == "database has no \"sqlit\"; did you mean \"sqlite\"?");
  BOOST_TEST(refusal({"worker=sqlite"}) == "worker has no \"sqlite\"");
  BOOST_TEST(refusal({"sqlite", "postgres"}) ==
             "A project has one database, not sqlite and postgresql");
  BOOST_TEST(refusal({""}) == "There is no component \"\"");
}

BOOST_AUTO_TEST_CASE(components_are_added_and_removed) {
  const auto with = [](std::vector<std::string> from, std::vector<std::string> words) {
    return choose(std::move(from)).with(words).words();
  };
  const auto without = [](std::vector<std::string> from, std::vector<std::string> words) {
    return choose(std::move(from)).without(words).words();
  };
  BOOST_TEST(with({"postgres"}, {"worker"}) == "database=postgresql,worker");
  BOOST_TEST(with({"worker"}, {"postgres"}) == "database=postgresql,worker");
  BOOST_TEST(with({}, {"scheduler"}) == "database=sqlite,worker,scheduler");
  BOOST_TEST(without({"postgres", "scheduler"}, {"scheduler"}) == "database=postgresql,worker");
  BOOST_TEST(without({"worker"}, {"worker", "database"}) == "api");
  BOOST_CHECK_THROW(without({"worker"}, {"database"}), UsageError);
  BOOST_CHECK_THROW(without({"worker"}, {"scheduler"}), UsageError);
  BOOST_CHECK_THROW(without({"worker"}, {"database=postgresql"}), UsageError);
}
