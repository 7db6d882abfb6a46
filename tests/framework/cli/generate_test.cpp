// Names, fields and the registration of what `aegis generate` makes.
#include <array>
#include <boost/test/unit_test.hpp>

#include "cli/field.h"
#include "cli/naming.h"
#include "cli/registration.h"
#include "cli/schedule_part.h"
#include "cli/usage_error.h"

using namespace aegis::cli;

namespace {

std::vector<Field> fields(std::vector<std::string> words) {
  return fields_of(words, std::array{std::string_view("id")});
}

std::string refusal(std::vector<std::string> words) {
  try {
    fields(std::move(words));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "it was taken";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_name_has_the_forms_that_code_needs) {
  for (const auto* given : {"war_horn", "war-horn", "WarHorn", "warHorn"}) {
    const Name name(given);
    BOOST_TEST(name.snake == "war_horn");
    BOOST_TEST(name.pascal == "WarHorn");
    BOOST_TEST(name.plural == "war_horns");
  }
  BOOST_TEST(Name("day2").pascal == "Day2");
}

BOOST_AUTO_TEST_CASE(capitals_that_stand_together_are_one_word) {
  for (const auto& [given, snake, pascal] :
       {std::array{"userID", "user_id", "UserId"}, std::array{"HTTPLog", "http_log", "HttpLog"},
        std::array{"FILE", "file", "File"}, std::array{"Day2Night", "day2_night", "Day2Night"}}) {
    BOOST_TEST(Name(given).snake == snake);
    BOOST_TEST(Name(given).pascal == pascal);
  }
}

BOOST_AUTO_TEST_CASE(a_name_has_a_plural) {
  for (const auto& [one, many] : {std::array{"armoury", "armouries"}, std::array{"key", "keys"},
                                  std::array{"guy", "guys"}, std::array{"soliloquy", "soliloquies"},
                                  std::array{"torch", "torches"}, std::array{"quiz", "quizzes"},
                                  std::array{"waltz", "waltzes"}, std::array{"status", "statuses"},
                                  std::array{"glass", "glasses"}, std::array{"notes", "notes"}}) {
    BOOST_TEST(Name(one).plural == many);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_name_in_cpp_is_refused) {
  for (const auto* given :
       {"",         "2x",        "a b",       "a.b",         "_x",       "class",
        "Delete",   "\xc3\xa4",  "explicit",  "volatile",    "typename", "xor",
        "nullptr",  "constexpr", "noexcept",  "char8_t",     "co_await", "const_cast",
        "decltype", "not_eq",    "protected", "static_cast", "wchar_t",  "thread_local",
        "CoReturn", "errno",     "assert"}) {
    BOOST_CHECK_THROW(Name{given}, UsageError);
  }
}

BOOST_AUTO_TEST_CASE(a_part_is_not_called_as_the_code_around_it) {
  for (const auto* given : {"app", "router", "std", "aegis", "db", "main", "size_t", "Timezone"}) {
    BOOST_CHECK_THROW(check_part_name(Name(given)), UsageError);
  }
  BOOST_CHECK_NO_THROW(check_part_name(Name("order")));
}

BOOST_AUTO_TEST_CASE(a_field_has_a_type_and_may_say_more) {
  const auto given = fields({"title:text:unique", "pitch:real:optional", "at:timestamp:indexed"});
  BOOST_TEST(
      members_of(given) ==
      "  std::string title{};\n  std::optional<double> pitch{};\n  aegis::Timestamp at{};\n");
  BOOST_TEST(given[0].attributes == ", unique");
  BOOST_TEST(given[2].attributes == ", indexed");
}

BOOST_AUTO_TEST_CASE(a_wrong_field_is_told) {
  BOOST_TEST(refusal({"a:txt"}) == "a:txt: there is no \"txt\"; did you mean \"text\"?");
  BOOST_TEST(refusal({"a:text:uniqe"}) ==
             "a:text:uniqe: there is no \"uniqe\"; did you mean \"unique\"?");
  BOOST_TEST(refusal({"a"}) == "a: there is no \"\"");
  BOOST_TEST(refusal({"a:text", "A:real"}) == "A:real: there is a a already");
  BOOST_TEST(refusal({"id:integer"}) == "id:integer: there is a id already");
}

BOOST_AUTO_TEST_CASE(a_long_list_goes_on_below_its_beginning) {
  const std::vector<std::string> parts(8, "(a_field_of_some_length)");
  const std::string text = wrapped("  F(", parts);
  BOOST_TEST(text ==
             "  F((a_field_of_some_length), (a_field_of_some_length), (a_field_of_some_length),\n"
             "    (a_field_of_some_length), (a_field_of_some_length), (a_field_of_some_length),\n"
             "    (a_field_of_some_length), (a_field_of_some_length))");
}

BOOST_AUTO_TEST_CASE(a_part_is_registered_where_it_belongs) {
  const std::vector<std::string> headers{"api/notes.h", "models/note.h"};
  BOOST_TEST(register_part(application_registry,
                           "#include \"application.h\"\n\n#include \"api/hello.h\"\n"
                           "#include \"api/shields.h\"\n\nvoid configure(aegis::App& app) {\n"
                           "  app.routes(hello);\n}\n",
                           headers, "app.models<Note>().routes(notes);") ==
             "#include \"application.h\"\n\n#include \"api/hello.h\"\n#include \"api/notes.h\"\n"
             "#include \"api/shields.h\"\n#include \"models/note.h\"\n\n"
             "void configure(aegis::App& app) {\n  app.routes(hello);\n"
             "  app.models<Note>().routes(notes);\n}\n");
  BOOST_CHECK_THROW(register_part(application_registry, "int main() {}\n", headers, "x();"),
                    UsageError);
}

BOOST_AUTO_TEST_CASE(a_part_is_registered_however_the_source_is_laid_out) {
  const std::vector<std::string> headers{"api/notes.h"};
  BOOST_TEST(register_part(application_registry,
                           "#include \"application.h\"\r\n\r\n"
                           "void configure(aegis::App& app);\r\n"
                           "void configure(aegis::App& app)\r\n{\r\n}",
                           headers, "app.routes(notes);") ==
             "#include \"application.h\"\r\n#include \"api/notes.h\"\r\n\r\n"
             "void configure(aegis::App& app);\r\n"
             "void configure(aegis::App& app)\r\n{\r\n  app.routes(notes);\r\n}");
  try {
    register_part(application_registry, "int main() {}\n", headers, "app.routes(notes);");
    BOOST_ERROR("it was registered");
  } catch (const UsageError& error) {
    BOOST_TEST(error.hint ==
               "Write it, or add there yourself: #include \"api/notes.h\" and app.routes(notes);");
  }
}

BOOST_AUTO_TEST_CASE(a_header_that_is_included_is_not_included_again) {
  const std::vector<std::string> headers{"worker/tidy.h"};
  BOOST_TEST(register_part(schedules_registry,
                           "#include \"scheduler/schedules.h\"\n\n#include \"worker/tidy.h\"\n\n"
                           "void schedules(Schedules& s) {\n}\n",
                           headers, "x();") ==
             "#include \"scheduler/schedules.h\"\n\n#include \"worker/tidy.h\"\n\n"
             "void schedules(Schedules& s) {\n  x();\n}\n");
}

BOOST_AUTO_TEST_CASE(a_timing_becomes_a_statement) {
  const SchedulePart daily("0 3 * * *"), often("every 90s"), counted("every 2h from start"),
      once("at 2099-12-24 18:00");
  BOOST_TEST(daily.statement == "s.cron<::<Type>>(\"<kebab>\", \"0 3 * * *\");");
  BOOST_TEST(daily.longest_gap == "std::chrono::hours(24)");
  BOOST_TEST(often.statement == "s.every<::<Type>>(\"<kebab>\", std::chrono::seconds(90));");
  BOOST_TEST(often.longest_gap == "std::chrono::seconds(90)");
  BOOST_TEST(counted.statement ==
             "s.every<::<Type>>(\"<kebab>\", std::chrono::hours(2), {}, true);");
  BOOST_TEST(once.statement == "s.at<::<Type>>(\"<kebab>\", \"2099-12-24 18:00\");");
  BOOST_TEST(once.longest_gap == "");
  for (const auto* wrong : {"", "0 3 * *", "every", "every now", "at 2001-01-01 00:00", "5m"}) {
    BOOST_CHECK_THROW(SchedulePart{wrong}, UsageError);
  }
}
