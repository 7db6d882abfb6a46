#include "aegis/core/log.h"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

namespace json = boost::json;
using namespace aegis;  // an alias named log would clash with the one of <math.h>
using namespace std::chrono_literals;

namespace {

json::object only_line(const log::Capture& capture) {
  const auto lines = capture.lines();
  BOOST_REQUIRE_EQUAL(lines.size(), 1);
  return json::parse(lines[0]).as_object();
}

// Sends stderr elsewhere while it lives.
class Redirected {
 public:
  explicit Redirected(int to) : before_(::dup(STDERR_FILENO)) { ::dup2(to, STDERR_FILENO); }
  ~Redirected() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }

 private:
  int before_;
};

// What one log call writes to a terminal.
std::string on_a_terminal() {
  int ours = -1, theirs = -1;
  BOOST_REQUIRE_EQUAL(::openpty(&ours, &theirs, nullptr, nullptr, nullptr), 0);
  {
    const Redirected redirected(theirs);
    log::configure(log::Level::info);
    log::warn("low on iron", "left", 3);
  }
  char buffer[1000];
  const ssize_t size = ::read(ours, buffer, sizeof buffer);
  ::close(ours);
  ::close(theirs);
  log::configure(log::Level::info);
  BOOST_REQUIRE_GT(size, 0);
  return {buffer, static_cast<std::size_t>(size)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_lines)

BOOST_AUTO_TEST_CASE(json_line_has_time_level_message_and_typed_attributes) {
  const log::Capture capture;
  log::info("shield forged", "id", 5, "name", "Dragon Scale", "magic", true, "weight", 2.5, "owner",
            std::optional<std::string>{}, "took", 1500us);
  const json::object line = only_line(capture);
  const std::string ts(line.at("ts").as_string());
  BOOST_TEST(ts.size() == 27);
  BOOST_TEST(ts.ends_with('Z'));
  BOOST_TEST(aegis::parse_timestamp(ts).has_value());
  BOOST_TEST(line.at("level").as_string() == "info");
  BOOST_TEST(line.at("msg").as_string() == "shield forged");
  BOOST_TEST(line.at("id").as_int64() == 5);
  BOOST_TEST(line.at("name").as_string() == "Dragon Scale");
  BOOST_TEST(line.at("magic").as_bool());
  BOOST_TEST(line.at("weight").as_double() == 2.5);
  BOOST_TEST(line.at("owner").is_null());
  BOOST_TEST(line.at("took").as_double() == 0.0015);
}

BOOST_AUTO_TEST_CASE(text_line_reads_well) {
  const log::Capture capture(log::Level::info, log::Format::text);
  log::info("shield forged", "id", 5, "name", "Dragon Scale", "material", "iron", "took", 1500us,
            "note", "");
  const std::string line = capture.lines().at(0);
  // 2026-11-21 11:39:40.123 INFO  shield forged  id=5 …
  BOOST_TEST(line[4] == '-');
  BOOST_TEST(line[19] == '.');
  BOOST_TEST(line.substr(23) ==
             " INFO  shield forged  id=5 name=\"Dragon Scale\" material=iron took=1.5ms note=\"\"");
}

BOOST_AUTO_TEST_CASE(extreme_numbers_are_exact_and_stay_json) {
  const log::Capture capture;
  log::info("numbers", "min", std::numeric_limits<std::int64_t>::min(), "max",
            std::numeric_limits<std::uint64_t>::max(), "nan", std::nan(""), "infinite",
            std::numeric_limits<double>::infinity(), "tiny", 5e-324);
  const json::object line = only_line(capture);
  BOOST_TEST(line.at("min").as_int64() == std::numeric_limits<std::int64_t>::min());
  BOOST_TEST(line.at("max").as_uint64() == std::numeric_limits<std::uint64_t>::max());
  BOOST_TEST(line.at("nan").is_null());
  BOOST_TEST(line.at("infinite").is_null());
  BOOST_TEST(line.at("tiny").as_double() == 5e-324);
}

BOOST_AUTO_TEST_CASE(below_the_level_nothing_is_written) {
  const log::Capture capture(log::Level::warn);
  log::info("not this");
  log::warn("this");
  log::critical("and this");
  BOOST_TEST(capture.lines().size() == 2);
  const log::Capture silent(log::Level::off);
  log::critical("nor this");
  BOOST_TEST(silent.lines().empty());
}

BOOST_AUTO_TEST_CASE(level_and_format_have_names) {
  BOOST_TEST((log::level_of("WARN") == log::Level::warn));
  BOOST_TEST((log::level_of("off") == log::Level::off));
  BOOST_TEST(!log::level_of("loud"));
  BOOST_TEST((log::format_of("auto") == log::Format::automatic));
  BOOST_TEST(!log::format_of("xml"));
}

BOOST_AUTO_TEST_CASE(bound_attributes_are_on_each_line_and_own_their_values) {
  const log::Capture capture;
  log::Log logger;
  {
    std::string id = "a request id that is too long to be stored in place";
    logger = logger.with("request_id", id, "core", 1).with("user", std::string("ada"));
    id.assign(id.size(), '#');
  }
  logger.info("begin", "path", "/shields");
  const json::object line = only_line(capture);
  BOOST_TEST(line.at("request_id").as_string() ==
             "a request id that is too long to be stored in place");
  BOOST_TEST(line.at("core").as_int64() == 1);
  BOOST_TEST(line.at("user").as_string() == "ada");
  BOOST_TEST(line.at("path").as_string() == "/shields");
}

BOOST_AUTO_TEST_CASE(own_keys_of_a_line_cannot_be_taken) {
  const log::Capture capture;
  log::info("quiet", "level", "critical", "msg", "forged", "ts", "1970");
  const json::object line = only_line(capture);
  BOOST_TEST(line.at("level").as_string() == "info");
  BOOST_TEST(line.at("msg").as_string() == "quiet");
  BOOST_TEST(line.at("level_").as_string() == "critical");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(log_input)

struct Hostile {
  std::string_view input, as_json_value;
};
std::ostream& operator<<(std::ostream& out, const Hostile& hostile) {
  return out << hostile.as_json_value;
}

const std::array hostile_inputs = {
    Hostile{"a\n{\"ts\":\"2026\",\"level\":\"info\",\"msg\":\"forged\"}",
            "a\n{\"ts\":\"2026\",\"level\":\"info\",\"msg\":\"forged\"}"},
    Hostile{"\",\"admin\":true,\"x\":\"", "\",\"admin\":true,\"x\":\""},
    Hostile{"back\\slash\r\ttab", "back\\slash\r\ttab"},
    Hostile{std::string_view("nul\0bell\a", 9), std::string_view("nul\0bell\a", 9)},
    Hostile{"\x1b[2J\x7f", "\x1b[2J\x7f"},
    Hostile{"\xC2\x9B", "\xC2\x9B"},                                  // C1: a terminal's CSI
    Hostile{"\xE2\x80\xA8\xE2\x80\xAE", "\xE2\x80\xA8\xE2\x80\xAE"},  // line separator, override
    Hostile{"caf\xC3\xA9 \xF0\x9F\x9B\xA1", "caf\xC3\xA9 \xF0\x9F\x9B\xA1"},
    Hostile{"\xFF", "\xEF\xBF\xBD"},
    Hostile{"a\xC3", "a\xEF\xBF\xBD"},                                // cut short
    Hostile{"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                  // overlong
    Hostile{"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // surrogate
    Hostile{"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
};

// No byte that could end a line or drive a terminal, raw or as UTF-8.
bool is_harmless(std::string_view line) {
  for (const char c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  for (const std::string_view unsafe : {"\xC2\x9B", "\xE2\x80\xA8", "\xE2\x80\xAE"}) {
    if (line.find(unsafe) != line.npos) return false;
  }
  return true;
}

BOOST_DATA_TEST_CASE(json_line_survives_any_input, hostile_inputs, hostile) {
  const log::Capture capture;
  log::info(hostile.input, "value", hostile.input, hostile.input, 1);
  BOOST_TEST(is_harmless(capture.lines().at(0)));
  const json::object line = only_line(capture);
  BOOST_TEST(line.size() == 5);
  BOOST_TEST(std::string_view(line.at("msg").as_string()) == hostile.as_json_value);
  BOOST_TEST(std::string_view(line.at("value").as_string()) == hostile.as_json_value);
  BOOST_TEST(line.at(hostile.as_json_value).as_int64() == 1);
}

BOOST_DATA_TEST_CASE(text_line_survives_any_input, hostile_inputs, hostile) {
  const log::Capture capture(log::Level::info, log::Format::text);
  log::info(hostile.input, "value", hostile.input, hostile.input, 1);
  BOOST_TEST(capture.lines().size() == 1);
  BOOST_TEST(is_harmless(capture.lines().at(0)));
}

BOOST_AUTO_TEST_CASE(text_value_cannot_pose_as_another_attribute) {
  const log::Capture capture(log::Level::info, log::Format::text);
  log::info("login", "name", "x admin=true \" y", "k=1 z", 2);
  BOOST_TEST(capture.contains("login  name=\"x admin=true \\\" y\" \"k=1 z\"=2"));
}

BOOST_AUTO_TEST_CASE(secrets_are_masked_by_key) {
  const log::Capture capture;
  const auto logger = log::root().with("Set-Cookie", "session=swordfish");
  logger.info("login", "user", "ada", "password", "swordfish", "ACCESS_TOKEN", "swordfish",
              "client_secret", std::string("swordfish"), "Authorization", "Bearer swordfish",
              "openai_api_key", "swordfish", "pin_token", 1234);
  BOOST_TEST(!capture.contains("swordfish"));
  BOOST_TEST(!capture.contains("1234"));
  const json::object line = only_line(capture);
  BOOST_TEST(line.at("user").as_string() == "ada");
  BOOST_TEST(line.at("password").as_string() == "***");
  BOOST_TEST(line.at("Set-Cookie").as_string() == "***");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(log_stderr)

BOOST_AUTO_TEST_CASE(lines_of_many_threads_stay_whole) {
  std::FILE* const file = std::tmpfile();
  {
    const Redirected redirected(::fileno(file));
    log::configure(log::Level::info, log::Format::json);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        const auto logger = log::root().with("thread", t);
        for (int i = 0; i < 250; ++i) logger.info("line", "i", i, "filler", std::string(600, 'x'));
      });
    }
    for (auto& thread : threads) thread.join();
  }
  std::rewind(file);
  std::array<std::int64_t, 4> next{};
  char buffer[2000];
  while (std::fgets(buffer, sizeof buffer, file)) {
    const json::object line = json::parse(buffer).as_object();
    auto& expected = next.at(static_cast<std::size_t>(line.at("thread").as_int64()));
    BOOST_TEST(line.at("i").as_int64() == expected++);
  }
  BOOST_TEST(next == (std::array<std::int64_t, 4>{250, 250, 250, 250}),
             boost::test_tools::per_element());
  std::fclose(file);
}

BOOST_AUTO_TEST_CASE(automatic_is_json_unless_stderr_is_a_terminal) {
  std::FILE* const file = std::tmpfile();
  {
    const Redirected redirected(::fileno(file));
    log::configure(log::Level::info);
    log::info("to a file");
  }
  std::rewind(file);
  char buffer[1000];
  BOOST_REQUIRE(std::fgets(buffer, sizeof buffer, file));
  BOOST_TEST(buffer[0] == '{');
  std::fclose(file);
}

BOOST_AUTO_TEST_CASE(terminal_gets_text_in_colour_unless_told_not_to) {
  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  BOOST_TEST(on_a_terminal().find("\033[33mWARN \033[0m low on iron  \033[2mleft=\033[0m3") !=
             std::string::npos);
  ::setenv("NO_COLOR", "1", 1);
  const std::string plain = on_a_terminal();
  BOOST_TEST(plain.find("WARN  low on iron  left=3") != std::string::npos);
  BOOST_TEST(plain.find('\033') == std::string::npos);
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "dumb", 1);
  BOOST_TEST(on_a_terminal().find('\033') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
