// What project(NAME …) of a CMakeLists.txt calls a project.
#include "cli/project_name.h"

#include <boost/test/unit_test.hpp>

#include "cli/files.h"
#include "cli/temporary_folder.h"
#include "cli/usage_error.h"

using namespace aegis::cli;

BOOST_AUTO_TEST_CASE(a_project_is_called_as_cmake_reads_it) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const auto file = folder.path() / "CMakeLists.txt";
  for (const auto* text :
       {"cmake_minimum_required(VERSION 3.25)\nproject(iron-shield VERSION 0.1.0)\n",
        "project(iron-shield)\n", "project( iron-shield )\n", "project(\n  iron-shield\n  C)\n",
        "# project(other)\n  PROJECT (\"iron-shield\")\n", "project(iron-shield\r\nCXX)\r\n"}) {
    write_file(file, text);
    BOOST_TEST(project_name(file) == "iron-shield");
  }
  for (const auto* text : {"", "project()\n", "my_project(other)\n", "# project(other)\n"}) {
    write_file(file, text);
    BOOST_CHECK_THROW(project_name(file), UsageError);
  }
}
