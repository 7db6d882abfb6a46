// Parts of `aegis dev`; dev_test.py has the whole of it.
#include <poll.h>
#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fstream>
#include <optional>

#include "../../support/temporary_folder.h"
#include "cli/build_error.h"
#include "cli/child.h"
#include "cli/watch.h"

using namespace aegis;
using namespace aegis::cli;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(dev)

BOOST_AUTO_TEST_CASE(the_first_error_of_a_build_is_told_with_its_line_and_a_hint) {
  const auto error = first_error(R"(FAILED: CMakeFiles/application.dir/app/api/hello.cpp.o
/usr/bin/ccache /usr/bin/clang++-19 -c ../../app/api/hello.cpp
../../app/api/hello.cpp:12:16: error: expected ';' at end of declaration
   12 |   int count = 1
      |                ^
      |                ;
../../app/api/hello.cpp:20:1: error: unknown type name 'x'
)",
                                 "/home/me/armoury");
  BOOST_REQUIRE(error);
  BOOST_TEST(error->place == "app/api/hello.cpp:12:16");
  BOOST_TEST(error->message == "expected ';' at end of declaration");
  BOOST_TEST(error->source.starts_with("   12 |   int count = 1\n"));
  BOOST_TEST(error->hint.starts_with("A ';' is missing"));
}

BOOST_AUTO_TEST_CASE(an_error_within_a_header_is_told_at_the_projects_own_line) {
  const auto error = first_error(
      R"(In file included from /home/me/armoury/app/api/hello.cpp:1:
/usr/include/aegis/http/handler.h:92:17: error: static assertion failed: Aegis cannot inject a handler parameter of this type; it injects, by value, Path
   92 |   static_assert(Injectable<P>,
      |                 ^~~~~~~~~~~~~
/usr/include/aegis/http/router.h:57:12: note: in instantiation of function template specialization 'aegis::Router::add<int>' requested here
   57 |     return add(Method::get, path, std::move(handler));
      |            ^
/home/me/armoury/app/api/hello.cpp:24:28: note: in instantiation of function template specialization 'aegis::Router::get<int>' requested here
   24 |   router.get("/hello", hello);
      |          ^
)",
      "/home/me/armoury");
  BOOST_REQUIRE(error);
  BOOST_TEST(error->place == "app/api/hello.cpp:24:28");
  BOOST_TEST(error->message.starts_with("Aegis cannot inject"));
  BOOST_TEST(error->source.starts_with("   24 |   router.get"));
  BOOST_TEST(error->hint.find("docs/handlers.md") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(columns_links_and_the_configuration_have_hints_too) {
  const auto hint = [](std::string_view log) {
    const auto error = first_error(log, "/home/me/armoury");
    BOOST_REQUIRE(error);
    return error->hint;
  };
  BOOST_TEST(hint("../../app/models/horn.h:5:94: error: no member named 'volme' in 'Horn'\n"
                  "    5 |   AEGIS_TABLE(Horn, \"horn\", (volme))\n")
                 .find("as the struct declares them") != std::string::npos);
  BOOST_TEST(hint("../../app/api/a.cpp:5:94: error: no member named 'nme' in "
                  "'Shield::aegis_columns'; did you mean 'name'?\n")
                 .find("AEGIS_TABLE") != std::string::npos);
  BOOST_TEST(hint("mold: error: undefined symbol: hello()\n").find("app/") != std::string::npos);
  const auto error = first_error(R"(CMake Error at CMakeLists.txt:25 (find_package):
  Could not find a package configuration file provided by "aegis" with any of
  the following names:

    aegisConfig.cmake

-- Configuring incomplete, errors occurred!
)",
                                 "/home/me/armoury");
  BOOST_REQUIRE(error);
  BOOST_TEST(error->place == "CMakeLists.txt:25");
  BOOST_TEST(error->message.ends_with("with any of the following names:"));
  BOOST_TEST(error->hint.find("aegis doctor") != std::string::npos);
  BOOST_TEST(!first_error("[1/2] Building\n../../app/a.cpp:1:2: warning: unused\n", "/home/me"));
}

BOOST_AUTO_TEST_CASE(what_editors_put_beside_a_file_is_no_change) {
  for (const char* path : {"app/.main.cpp.swp", "app/main.cpp~", "app/#main.cpp#", "app/4913",
                           "README.md", "build", ".env.example", "data/app.db"}) {
    BOOST_TEST(!changes_of(path).any(), path);
  }
  BOOST_TEST(changes_of("app/api/hello.cpp").build);
  BOOST_TEST(changes_of("CMakeLists.txt").build);
  BOOST_TEST(changes_of("CMakePresets.json").configure);
  BOOST_TEST(changes_of(".env").restart);
  BOOST_TEST(changes_of("migrations/0002_x/sqlite.sql").restart);
}

namespace {

struct Project {
  Project() {
    fs::create_directories(folder.path() / "app/api");
    fs::current_path(folder.path());
  }
  ~Project() { fs::current_path(before); }

  static void write(const fs::path& path) { std::ofstream(path) << "text"; }

  /// Waits until something has changed.
  static Changes await(Watch& watch) {
    pollfd event{watch.descriptor(), POLLIN, 0};
    BOOST_REQUIRE(::poll(&event, 1, 60'000) == 1);
    return watch.read();
  }

  fs::path before = fs::current_path();
  TemporaryFolder folder;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(changes_are_noticed_however_they_are_saved, Project) {
  Watch watch;
  BOOST_TEST(!watch.read().any());
  write("app/api/hello.cpp");
  BOOST_TEST(await(watch).build);
  write("app/api/.hello.tmp");
  BOOST_TEST(!watch.read().any());
  fs::rename("app/api/.hello.tmp", "app/api/hello.cpp");
  BOOST_TEST(await(watch).build);
  fs::remove("app/api/hello.cpp");
  BOOST_TEST(await(watch).build);
  write(".env");
  BOOST_TEST(await(watch).restart);
  write("README.md");
  BOOST_TEST(!watch.read().any());
}

BOOST_FIXTURE_TEST_CASE(folders_that_come_later_are_watched_and_those_that_go_are_not, Project) {
  Watch watch;
  fs::create_directories("migrations/0001_first");
  BOOST_TEST(await(watch).restart);
  write("migrations/0001_first/sqlite.sql");
  BOOST_TEST(await(watch).restart);
  fs::create_directories("elsewhere/deep");
  BOOST_TEST(!watch.read().any());
  fs::rename("elsewhere", "app/elsewhere");
  BOOST_TEST(await(watch).build);
  write("app/elsewhere/deep/x.cpp");
  BOOST_TEST(await(watch).build);
  fs::rename("app/elsewhere", "gone");
  BOOST_TEST(await(watch).build);
  write("gone/deep/x.cpp");
  BOOST_TEST(!watch.read().any());
  fs::rename("app", "other");
  BOOST_TEST(await(watch).build);
  fs::create_directories("app/api");
  BOOST_TEST(await(watch).build);
  write("app/api/x.cpp");
  BOOST_TEST(await(watch).build);
}

BOOST_AUTO_TEST_CASE(a_child_gets_the_socket_and_does_not_outlive_its_owner) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const Descriptor from(ends[0]);
  std::optional<Descriptor> to(ends[1]);
  const std::string script =
      "echo $LISTEN_FDS $(test $LISTEN_PID = $$ && echo mine); exec sleep 1000";
  std::optional<Child> child;
  child.emplace(Child::Options{.command = {"sh", "-c", script}, .output = to->get(), .socket = 0});
  to.reset();
  char text[16] = {};
  BOOST_TEST(::read(from.get(), text, sizeof text - 1) == 7);
  BOOST_TEST(text == "1 mine\n");
  BOOST_TEST(!child->ended());
  child.reset();
  BOOST_TEST(::read(from.get(), text, sizeof text) == 0);  // nobody has the other end
}

BOOST_AUTO_TEST_CASE(a_child_tells_how_it_ended) {
  const auto code = [](std::vector<std::string> command) {
    Child child({.command = std::move(command)});
    pollfd event{child.descriptor(), POLLIN, 0};
    BOOST_REQUIRE(::poll(&event, 1, 60'000) == 1);
    return child.ended().value_or(-1);
  };
  BOOST_TEST(code({"sh", "-c", "exit 7"}) == 7);
  BOOST_TEST(code({"sh", "-c", "kill -KILL $$"}) == 137);
  BOOST_TEST(code({"there-is-no-such-program"}) == 127);
}

BOOST_AUTO_TEST_SUITE_END()
