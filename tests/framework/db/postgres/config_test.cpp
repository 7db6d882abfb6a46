// What a PostgreSQL URL and its settings are read as.
#include "db/postgres/config.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "aegis/core/error.h"

using namespace aegis;
using namespace aegis::db::postgres;

namespace {

Config config(std::string url, std::map<std::string, std::string> args = {}) {
  return read_config({.url = std::move(url), .connect_args = std::move(args)});
}

std::string refusal(std::string url, std::map<std::string, std::string> args = {}) {
  try {
    config(std::move(url), std::move(args));
  } catch (const Error& error) {
    BOOST_TEST((error.code() == Errc::invalid));
    return error.what();
  }
  return "taken";
}

std::string keyword(const Config& config, std::string_view name) {
  for (const auto& [key, value] : config.keywords) {
    if (key == name) return value;
  }
  return "none";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_url_is_shown_without_its_passwords) {
  BOOST_TEST(config("postgresql://aegis:s3cret@db:5433/shields").url ==
             "postgresql://aegis:***@db:5433/shields");
  BOOST_TEST(config("postgres://db/shields?user=aegis&password=s3cret&sslpassword=s3cret").url ==
             "postgresql://aegis:***@db/shields");
  BOOST_TEST(config("postgresql://a:1,[::1]:2,c/x?target_session_attrs=read-write").url ==
             "postgresql://a:1,[::1]:2,c/x?target_session_attrs=read-write");
  BOOST_TEST(config("postgresql:///x?host=/run/postgresql").url ==
             "postgresql:///x?host=/run/postgresql");
}

BOOST_AUTO_TEST_CASE(every_keyword_of_libpq_is_passed_on) {
  const Config read = config(
      "postgresql://u:p%40ss@h/d?sslmode=verify-full&sslrootcert=/ca.pem&application_name=mine");
  BOOST_TEST(keyword(read, "password") == "p@ss");
  BOOST_TEST(keyword(read, "sslmode") == "verify-full");
  BOOST_TEST(keyword(read, "sslrootcert") == "/ca.pem");
  BOOST_TEST(keyword(read, "application_name") == "mine");
  BOOST_TEST(keyword(read, "client_encoding") == "UTF8");
  BOOST_TEST(keyword(read, "connect_timeout") == "5");
  BOOST_TEST(keyword(config("postgresql://h/d?connect_timeout=9"), "connect_timeout") == "9");
  BOOST_TEST(keyword(config("postgresql://h/d?connect_timeout=9", {{"connect_timeout", "2500"}}),
                     "connect_timeout") == "3");
}

BOOST_AUTO_TEST_CASE(a_url_that_cannot_be_read_is_refused_without_its_password) {
  for (const char* url :
       {"postgresql://u:s3cret@h:port/d", "postgresql://u:s3cret/x@h:5432/d",
        "postgresql://u:s3cret%zz@h/d", "postgresql://u:s3cret@[h/d",
        "postgresql://h:1/x user=me password=s3cret", "postgresql://h/x?user=me password=s3cret",
        "postgresql://h/x\tpassword=s3cret"}) {
    const std::string message = refusal(url);
    BOOST_TEST(message.starts_with("The PostgreSQL database URL cannot be read"), message);
    BOOST_TEST(message.find("s3cret") == message.npos, message);
  }
  BOOST_TEST(refusal("postgresql://h/d?pool_size=5").find("\"pool_size\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(settings_are_checked) {
  const Config read = config("postgresql://h/d", {{"pool_size", "8"}, {"lane_timeout", "250"}});
  BOOST_TEST(read.pool_size == 8);
  BOOST_TEST(read.lane_timeout.count() == 250);
  BOOST_TEST(config("postgresql://h/d", {{"statement_timeout", "100"}}).lane_timeout.count() ==
             100);
  BOOST_TEST(refusal("postgresql://h/d", {{"pool_size", "0"}}) ==
             "The database setting pool_size is \"0\" but must be a whole number from 1 to 10000.");
  BOOST_TEST(refusal("postgresql://h/d", {{"readers", "2"}})
                 .starts_with("There is no PostgreSQL setting readers; there are connect_timeout"));
}

BOOST_AUTO_TEST_CASE(the_pool_is_shared_out_among_the_cores) {
  const DatabaseOptions options{.url = "postgresql://h/d", .connect_args = {{"pool_size", "10"}}};
  BOOST_TEST(read_config(options, 4).pool_size_per_core() == 2U);
  BOOST_TEST(read_config(options, 64).pool_size_per_core() == 1U);
}

BOOST_AUTO_TEST_CASE(an_automatic_pool_names_its_process) {
  const Config first = config("postgresql://h/d", {{"pool_size", "auto"}});
  const Config named =
      config("postgresql://h/d?application_name=" + std::string(63, 'x'), {{"pool_size", "auto"}});
  BOOST_TEST(first.pool_size_now() == 10);  // until it is measured
  const std::string name = keyword(first, "application_name");
  BOOST_TEST(name.starts_with("aegis "));
  BOOST_TEST(name.substr(name.size() - 10, 2) == " #");
  BOOST_TEST(name !=
             keyword(config("postgresql://h/d", {{"pool_size", "auto"}}), "application_name"));
  BOOST_TEST(keyword(named, "application_name").size() == 63u);
  BOOST_TEST(refusal("postgresql://h/d", {{"pool_size", "auto"}, {"transaction_pooling", "on"}}) !=
             "taken");
  BOOST_TEST(config("postgresql://h/d", {{"transaction_pooling", "on"}}).statement_cache == 0);
}
