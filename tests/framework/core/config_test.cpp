#include "aegis/core/config.h"

#include <unistd.h>

#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "aegis/core/json.h"
#include "aegis/core/log.h"
#include "aegis/core/secret.h"

using namespace aegis;
using namespace std::chrono_literals;

namespace {

struct MailSettings {
  std::string server = "localhost";
  std::optional<std::string> sender{};
  int retries = 3;
  double factor = 1.5;
  Secret<std::string> login{};
  std::string password{};
  std::string pin{};
  AEGIS_FIELDS(MailSettings, (server), (sender), (retries, ge(0), le(10)), (factor), (login),
               (password), (pin, secret))
};

struct AuthSettings {
  Secret<std::string> session_key{};
  AEGIS_FIELDS(AuthSettings, (session_key, min_length(16)))
};

// The message of check(); empty when all is well.
std::string message_of(const Config& config) {
  try {
    config.check();
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A working directory of its own, without what the environment of the test says.
struct Directory {
  std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("aegis-config-test-" + std::to_string(::getpid()));

  Directory() {
    std::filesystem::create_directories(path);
    std::filesystem::current_path(path);
    for (const char* key : {"PORT", "HOST", "ENV_FILE"}) ::unsetenv(key);
  }
  ~Directory() {
    std::filesystem::current_path(before);
    std::filesystem::remove_all(path);
    for (const char* key : {"PORT", "HOST", "ENV_FILE"}) ::unsetenv(key);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(config)

BOOST_AUTO_TEST_CASE(defaults_hold_where_nothing_is_set) {
  Config config;
  Settings settings;
  config.read(settings);
  config.check();
  BOOST_TEST(settings.host == "127.0.0.1");
  BOOST_TEST(settings.port == 8000);
  BOOST_TEST(!config.has("PORT"));
}

BOOST_AUTO_TEST_CASE(keys_are_read_by_type_and_the_environment_wins) {
  Config config({{"PORT", "9000"}, {"ACCESS_LOG", "false"}},
                "PORT=7000\nHOST=0.0.0.0\nSHUTDOWN_TIMEOUT=500ms\n");
  Settings settings;
  config.read(settings);
  config.check();
  BOOST_TEST(settings.port == 9000);
  BOOST_TEST(settings.host == "0.0.0.0");
  BOOST_TEST(!settings.access_log);
  BOOST_TEST((settings.shutdown_timeout == 500ms));
  BOOST_TEST(config.has("PORT"));
}

BOOST_AUTO_TEST_CASE(prefix_goes_before_each_key) {
  Config config({{"MAIL_SERVER", "mx.example"},
                 {"MAIL_SENDER", "a@example"},
                 {"MAIL_FACTOR", "0.5"},
                 {"MAIL_LOGIN", "swordfish"},
                 {"RETRIES", "9"}});
  MailSettings mail;
  config.read(mail, "MAIL_");
  config.check();
  BOOST_TEST(mail.server == "mx.example");
  BOOST_TEST(mail.sender.value() == "a@example");
  BOOST_TEST(mail.factor == 0.5);
  BOOST_TEST(mail.retries == 3);
  BOOST_TEST(mail.login.reveal() == "swordfish");
}

BOOST_AUTO_TEST_CASE(every_bad_key_is_in_one_message) {
  Config config({{"PORT", "70000"}, {"MAIL_RETRIES", "eleven"}, {"MAIL_FACTOR", "x"}},
                "LOG_LEVEL=loud\nnonsense\nSHUTDOWN_TIMEOUT=10\nHTTP_MAX_CONNECTIONS=0\n");
  Settings settings;
  MailSettings mail;
  AuthSettings auth;
  config.read(settings);
  config.read(mail, "MAIL_");
  config.read(auth);
  BOOST_TEST(message_of(config) ==
             "8 settings are wrong:\n"
             "  .env:2: not of the form KEY=VALUE\n"
             "  PORT=\"70000\" must be between 0 and 65535 (environment)\n"
             "  LOG_LEVEL=\"loud\" must be one of: trace, debug, info, warn, error, critical, off"
             " (.env:1)\n"
             "  SHUTDOWN_TIMEOUT=\"10\" must name its unit, such as 10s, 500ms, 2m or 1h (.env:3)\n"
             "  HTTP_MAX_CONNECTIONS=\"0\" must be at least 1 (.env:4)\n"
             "  MAIL_RETRIES=\"eleven\" must be an integer (environment)\n"
             "  MAIL_FACTOR=\"x\" must be a number (environment)\n"
             "  SESSION_KEY is required: set it in the environment or in .env");
}

BOOST_AUTO_TEST_CASE(no_message_or_list_shows_a_secret) {
  struct Bad {
    int token = 0;
    Secret<std::string> key{};
    std::string url{};
    std::int64_t pin = 0;
    AEGIS_FIELDS(Bad, (token), (key, min_length(99)), (url, max_length(5)), (pin, secret))
  };
  Config config({{"TOKEN", "swordfish"},
                 {"KEY", "swordfish"},
                 {"URL", "postgresql://aegis:swordfish@db/app"},
                 {"PIN", "swordfish"},
                 {"MAIL_PASSWORD", "swordfish"},
                 {"MAIL_PIN", "swordfish"},
                 {"MAIL_LOGIN", "swordfish"},
                 {"MAIL_SERVER", "smtp://me:swordfish@mx"}});
  Bad bad;
  MailSettings mail;
  config.read(bad);
  config.read(mail, "MAIL_");
  const std::string message = message_of(config);
  BOOST_TEST(message.find("swordfish") == std::string::npos);
  BOOST_TEST(message.find("TOKEN=\"***\" must be an integer") != std::string::npos);
  BOOST_TEST(message.find("URL=\"postgresql://aegis:***@db/app\" must be at most") !=
             std::string::npos);
  const std::string list = config.describe();
  BOOST_TEST(list.find("swordfish") == std::string::npos);
  BOOST_TEST(list.find("smtp://me:***@mx") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_value_stays_on_its_line) {
  Config config({{"PORT", "80\n  HOST=\"forged\"\x1b[2J"}});
  Settings settings;
  config.read(settings);
  const std::string message = message_of(config);
  BOOST_TEST(std::count(message.begin(), message.end(), '\n') == 1);
  BOOST_TEST(message.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(list_says_where_each_value_comes_from) {
  Config config({{"MAIL_SERVER", "mx"}}, "\nMAIL_RETRIES=4\nMAIL_LOGIN=swordfish");
  MailSettings mail;
  config.read(mail, "MAIL_");
  BOOST_TEST(config.describe() ==
             "MAIL_SERVER    mx   environment\n"
             "MAIL_SENDER         default\n"
             "MAIL_RETRIES   4    .env:2\n"
             "MAIL_FACTOR    1.5  default\n"
             "MAIL_LOGIN     ***  .env:3\n"
             "MAIL_PASSWORD       default\n"
             "MAIL_PIN            default\n");
}

BOOST_AUTO_TEST_CASE(slips_in_the_file_are_warned_of_and_other_programs_left_alone) {
  const log::Capture capture;
  Config config({{"DATABASE_URK", "in the environment: not ours to judge"}},
                "DATABASE_URI=x\nPROT=1\nHTTP_COLOUR=red\nCOMPOSE_PROJECT_NAME=x\nPATH=/bin\n"
                "TEST_DATABASE_URL=x\nPORT=1\nPORT=2\n");
  Settings settings;
  config.read(settings);
  config.check();
  BOOST_TEST(settings.port == 2);
  BOOST_TEST(capture.contains(
      R"("msg":"no such setting: DATABASE_URI; did you mean \"DATABASE_URL\"?","at":".env:1")"));
  BOOST_TEST(capture.contains(R"(no such setting: PROT; did you mean \"PORT\"?)"));
  BOOST_TEST(capture.contains("no such setting: HTTP_COLOUR\""));
  BOOST_TEST(capture.contains("PORT is set again at .env:8; the last one counts"));
  BOOST_TEST(capture.lines().size() == 4);
}

BOOST_FIXTURE_TEST_CASE(file_is_optional_unless_named, Directory) {
  Settings settings;
  Config config = Config::load();
  config.read(settings);
  BOOST_TEST(message_of(config) == "");
  ::setenv("ENV_FILE", "absent.env", 1);
  BOOST_TEST(message_of(Config::load()) ==
             "1 setting is wrong:\n  absent.env cannot be read: No such file or directory");
}

BOOST_FIXTURE_TEST_CASE(file_and_environment_of_the_process_are_read, Directory) {
  std::ofstream(".env") << "PORT=7001\nHOST=0.0.0.0\n";
  std::ofstream("other.env") << "PORT=7002\n";
  ::setenv("HOST", "10.0.0.1", 1);
  Settings settings;
  Config::load().read(settings);
  BOOST_TEST(settings.port == 7001);
  BOOST_TEST(settings.host == "10.0.0.1");
  ::setenv("ENV_FILE", "other.env", 1);
  Config other = Config::load();
  other.read(settings);
  BOOST_TEST(settings.port == 7002);
  BOOST_TEST(other.describe().find("other.env:1") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(file_that_cannot_be_read_is_an_error, Directory) {
  std::filesystem::create_directory(".env");
  BOOST_TEST(message_of(Config::load()) ==
             "1 setting is wrong:\n  .env cannot be read: Is a directory");
}

BOOST_AUTO_TEST_CASE(secret_prints_as_stars) {
  const Secret<std::string> secret("swordfish");
  std::ostringstream out;
  out << secret;
  BOOST_TEST(out.str() == "***");
  const log::Capture capture;
  log::info("login", "with", secret);
  BOOST_TEST(capture.contains(R"("with":"***")"));
  MailSettings mail;
  mail.login = secret;
  BOOST_TEST(to_json(mail).find(R"("login":"***")") != std::string::npos);
}

struct Url {
  std::string_view given, shown;
};
std::ostream& operator<<(std::ostream& out, const Url& url) {
  return out << url.given;
}

const std::array urls = {
    Url{"sqlite:///data/app.db", "sqlite:///data/app.db"},
    Url{"sqlite:////srv/a@b/app.db", "sqlite:////srv/a@b/app.db"},
    Url{"postgresql://aegis:secret@postgres:5432/aegis_db",
        "postgresql://aegis:***@postgres:5432/aegis_db"},
    Url{"postgresql://aegis@postgres:5432/db", "postgresql://aegis@postgres:5432/db"},
    Url{"postgresql://aegis:@postgres/db", "postgresql://aegis:***@postgres/db"},
    Url{"postgresql://:secret@postgres/db", "postgresql://:***@postgres/db"},
    Url{"postgresql://a:p@ss:w/o#rd@host/db", "postgresql://a:***@host/db"},
    Url{"postgresql://a:p?w@host/db", "postgresql://a:***@host/db"},
    Url{"postgresql://a:123@host/db", "postgresql://a:***@host/db"},
    Url{"postgresql://a:b@[::1]:5432/db?user=x@y", "postgresql://a:***@[::1]:5432/db?user=x@y"},
    Url{"postgresql://host:5432/db?email=a@b", "postgresql://host:5432/db?email=a@b"},
    Url{"postgresql://host/db?user=a&password=secret&sslmode=require",
        "postgresql://host/db?user=a&password=***&sslmode=require"},
    Url{"postgresql://host/db?sslpassword=secret", "postgresql://host/db?sslpassword=***"},
    Url{"postgresql://host/db?password=se#cret&user=a", "postgresql://host/db?password=***&user=a"},
    Url{"postgresql://h:1/x user=me password=s3cret", "postgresql://h:1/x user=me password=***"},
    Url{"postgresql://h/x?user=me password=s3&cret", "postgresql://h/x?user=me password=***"},
    Url{"host=localhost password=s3cret", "host=localhost password=***"},
    Url{"host=localhost PASSWORD = 's3 cret?' user=me", "host=localhost PASSWORD =***"},
    Url{"postgresql:/a:secret@host", "postgresql:***@host"},
    Url{"a:secret@host", "a:***@host"},
    Url{"", ""},
};

BOOST_DATA_TEST_CASE(password_of_a_url_is_masked, urls, url) {
  BOOST_TEST(mask_url_password(url.given) == url.shown);
}

// It may be anything that was pasted: libpq's keywords, or a password by itself.
BOOST_AUTO_TEST_CASE(what_is_no_url_of_a_database_is_not_shown) {
  for (const std::string given : {"s3cret", "host=db user=s3cret", "s3cret:x@y"}) {
    Config config({{"DATABASE_URL", given}, {"DATABASE_READ_URL", given}});
    Settings settings;
    config.read(describe<Settings>(), &settings);
    config.reject("DATABASE_URL", "it is wrong");
    BOOST_TEST(config.describe().find("s3cret") == std::string::npos);
    BOOST_TEST(message_of(config).find("DATABASE_URL=\"***\"") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(env_example_of_a_struct) {
  struct Sample {
    int size = 3;
    std::string title = "two words";
    std::string api_key = "internal default";
    AEGIS_FIELDS(Sample, (size, doc("How many.")), (title), (api_key, doc("From the provider.")))
  };
  BOOST_TEST(env_example(describe<Sample>(), "APP_") ==
             "# How many.\n# APP_SIZE=3\n\n"
             "# APP_TITLE='two words'\n\n"
             "# From the provider.\n# APP_API_KEY=\n");
}

BOOST_AUTO_TEST_CASE(env_example_file_is_complete_and_true) {
  const std::string file = read_file(ENV_EXAMPLE);
  BOOST_TEST(file.find(env_example(describe<Settings>())) != std::string::npos,
             "bring .env.example up to date: its part for the framework should be\n"
                 << env_example(describe<Settings>()));
  // With every line uncommented it says what the defaults are.
  std::string uncommented;
  std::istringstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::string_view text = line;
    const bool setting =
        text.starts_with("# ") && text.find('=') != text.npos &&
        text.substr(2, text.find('=') - 2).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") ==
            text.npos;
    if (setting) uncommented += line.substr(2) + '\n';
  }
  Config config({}, uncommented);
  Settings settings;
  config.read(settings);
  config.check();
  BOOST_TEST(to_json(settings) == to_json(Settings{}));
  for (const Field& field : describe<Settings>().fields) BOOST_TEST(!field.rules.doc.empty());
}

BOOST_AUTO_TEST_SUITE_END()
