// The report's tree, and how it reads as JSON and as text.
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>

#include "aegis/health/health.h"

using namespace std::chrono_literals;
using aegis::ComponentHealth;
using aegis::HealthReport;
using aegis::HealthStatus;
namespace json = boost::json;

BOOST_TEST_DONT_PRINT_LOG_VALUE(HealthStatus)

namespace {

ComponentHealth part(std::string name, HealthStatus status,
                     std::vector<ComponentHealth> parts = {}) {
  return {.name = std::move(name), .status = status, .sub_components = std::move(parts)};
}

HealthReport report(std::vector<ComponentHealth> components) {
  return {.service = "shields",
          .version = "1.2.3",
          .timestamp = aegis::Timestamp(1'700'000'000s),
          .components = std::move(components)};
}

json::object parsed(const HealthReport& report, bool detailed = true) {
  return json::parse(report.json(detailed)).as_object();
}

std::vector<std::string> keys(const json::object& object) {
  std::vector<std::string> found;
  for (const auto& member : object) found.emplace_back(member.key());
  return found;
}

json::value list(std::initializer_list<json::value_ref> items) {
  return json::array(items);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(health_tree)

BOOST_AUTO_TEST_CASE(the_worst_part_wins_at_any_depth) {
  using enum HealthStatus;
  BOOST_TEST(part("a", healthy).worst() == healthy);
  BOOST_TEST(part("a", healthy, {part("b", info), part("c", healthy)}).worst() == info);
  BOOST_TEST(part("a", info, {part("b", healthy, {part("c", warning)})}).worst() == warning);
  BOOST_TEST(part("a", unhealthy, {part("b", healthy)}).worst() == unhealthy);
  BOOST_TEST(report({part("a", warning), part("b", healthy, {part("c", unhealthy)})}).status() ==
             unhealthy);
}

BOOST_AUTO_TEST_CASE(only_unhealthy_is_not_healthy) {
  using enum HealthStatus;
  BOOST_TEST(report({}).healthy());
  BOOST_TEST(report({part("a", info)}).healthy());
  BOOST_TEST(report({part("a", warning)}).healthy());
  BOOST_TEST(!report({part("a", healthy), part("b", unhealthy)}).healthy());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(health_json)

BOOST_AUTO_TEST_CASE(detailed_has_the_fields_of_aegis_stack) {
  auto one = part("database", HealthStatus::warning, {part("storage", HealthStatus::info)});
  one.message = "read-only";
  one.response_time_ms = 1.234;
  const json::object root = parsed(report({one}));

  const std::vector<std::string> fields{"healthy",
                                        "status",
                                        "service",
                                        "version",
                                        "timestamp",
                                        "components",
                                        "system_info",
                                        "healthy_components",
                                        "unhealthy_components",
                                        "health_percentage"};
  BOOST_TEST(keys(root) == fields, boost::test_tools::per_element());
  BOOST_TEST(root.at("healthy") == true);
  BOOST_TEST(root.at("status") == "warning");
  BOOST_TEST(root.at("service") == "shields");
  BOOST_TEST(root.at("version") == "1.2.3");
  BOOST_TEST(root.at("timestamp") == "2023-11-14T22:13:20.000000Z");

  const json::object& database = root.at("components").at("database").as_object();
  const std::vector<std::string> of_a_component{
      "name", "healthy", "status", "message", "response_time_ms", "metadata", "sub_components"};
  BOOST_TEST(keys(database) == of_a_component, boost::test_tools::per_element());
  BOOST_TEST(database.at("name") == "database");
  BOOST_TEST(database.at("healthy") == true);
  BOOST_TEST(database.at("status") == "warning");
  BOOST_TEST(database.at("message") == "read-only");
  BOOST_TEST(database.at("response_time_ms").to_number<double>() == 1.23);
  BOOST_TEST(database.at("sub_components").at("storage").at("status") == "info");
}

BOOST_AUTO_TEST_CASE(brief_says_no_more_than_the_state) {
  const json::object root = parsed(report({part("a", HealthStatus::unhealthy)}), false);
  const std::vector<std::string> fields{"healthy", "status", "service", "version", "timestamp"};
  BOOST_TEST(keys(root) == fields, boost::test_tools::per_element());
  BOOST_TEST(root.at("healthy") == false);
  BOOST_TEST(root.at("status") == "unhealthy");
}

BOOST_AUTO_TEST_CASE(a_part_that_is_down_takes_its_component_down) {
  const json::object root =
      parsed(report({part("a", HealthStatus::healthy, {part("b", HealthStatus::unhealthy)})}));
  BOOST_TEST(root.at("healthy") == false);
  BOOST_TEST(root.at("components").at("a").at("healthy") == false);
  BOOST_TEST(root.at("components").at("a").at("status") == "unhealthy");
}

BOOST_AUTO_TEST_CASE(names_and_percentage_count_components_and_their_direct_parts) {
  using enum HealthStatus;
  const json::object root = parsed(report({
      part("system", warning, {part("cpu", healthy), part("memory", warning)}),
      part("database", healthy,
           {part("tables", healthy, {part("shield", healthy)}), part("storage", unhealthy)}),
  }));
  BOOST_TEST(root.at("healthy_components") ==
             list({"system", "system.cpu", "system.memory", "database.tables"}));
  BOOST_TEST(root.at("unhealthy_components") == list({"database", "database.storage"}));
  BOOST_TEST(root.at("health_percentage").to_number<double>() == 66.7);
}

BOOST_AUTO_TEST_CASE(nothing_to_check_is_all_well) {
  const json::object root = parsed(report({}));
  BOOST_TEST(root.at("status") == "healthy");
  BOOST_TEST(root.at("components").as_object().empty());
  BOOST_TEST(root.at("health_percentage").to_number<double>() == 100);
}

BOOST_AUTO_TEST_CASE(metadata_keeps_its_types) {
  auto one = part("a", HealthStatus::healthy);
  one.metadata = {{"flag", true},
                  {"count", std::int64_t{9'007'199'254'740'993}},
                  {"share", 12.345},
                  {"nonsense", std::numeric_limits<double>::quiet_NaN()},
                  {"text", std::string("say \"hi\"\n\xff")},
                  {"names", std::vector<std::string>{"x", "y"}}};
  const json::object root = parsed(report({one}));
  const json::value& metadata = root.at("components").at("a").at("metadata");
  BOOST_TEST(metadata.at("flag") == true);
  BOOST_TEST(metadata.at("count").as_int64() == 9'007'199'254'740'993);
  BOOST_TEST(metadata.at("share").as_double() == 12.35, boost::test_tools::tolerance(0.001));
  BOOST_TEST(metadata.at("nonsense").is_null());
  BOOST_TEST(metadata.at("text") == "say \"hi\"\n\xEF\xBF\xBD");
  BOOST_TEST(metadata.at("names") == list({"x", "y"}));
}

BOOST_AUTO_TEST_CASE(secrets_are_never_shown) {
  auto one = part("mail", HealthStatus::healthy);
  one.metadata = {{"user", std::string("ann")},
                  {"password", std::string("hunter2")},
                  {"API_TOKEN", std::vector<std::string>{"hunter2"}}};
  const HealthReport all = report({one});
  BOOST_TEST(parsed(all).at("components").at("mail").at("metadata").at("password") == "***");
  BOOST_TEST(all.json(true).find("hunter2") == std::string::npos);
  BOOST_TEST(all.text(true, false).find("hunter2") == std::string::npos);
  BOOST_TEST(all.text(true, false).find("user: ann") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(health_text)

namespace {

HealthReport sample() {
  auto memory = part("memory", HealthStatus::warning);
  memory.message = "93 % used";
  memory.metadata = {{"limited_by_cgroup", true}, {"used_mib", 238.1}};
  auto system = part("system", HealthStatus::healthy, {memory});
  system.response_time_ms = 0.25;
  auto cache = part("cache", HealthStatus::healthy);
  cache.message = "connected";
  cache.metadata = {{"hosts", std::vector<std::string>{"one", "two"}}};
  return report({system, cache});
}

}  // namespace

BOOST_AUTO_TEST_CASE(brief_is_a_line_a_component) {
  BOOST_TEST(sample().text(false, false) ==
             "shields 1.2.3 [warning] 2023-11-14T22:13:20.000000Z\n"
             "  system [warning]\n"
             "  cache [healthy] connected\n");
}

BOOST_AUTO_TEST_CASE(detailed_is_the_whole_tree) {
  BOOST_TEST(sample().text(true, false) ==
             "shields 1.2.3 [warning] 2023-11-14T22:13:20.000000Z\n"
             "  system [warning] (0.2 ms)\n"
             "    memory [warning] 93 % used\n"
             "      limited_by_cgroup: true\n"
             "      used_mib: 238.10\n"
             "  cache [healthy] connected\n"
             "    hosts: one, two\n");
}

BOOST_AUTO_TEST_CASE(colours_are_only_for_those_who_want_them) {
  BOOST_TEST(sample().text(true, false).find('\x1b') == std::string::npos);
  const std::string coloured = sample().text(false, true);
  BOOST_TEST(coloured.find("cache [\x1b[32mhealthy\x1b[0m]") != std::string::npos);
  BOOST_TEST(coloured.find("system [\x1b[33mwarning\x1b[0m]") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
