// The files of a project.
#include "cli/template.h"
#include "cli/usage_error.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

using namespace aegis::cli;

namespace {

const std::vector<std::vector<std::string>> combinations{
    {}, {"database"}, {"postgres"}, {"worker"}, {"scheduler"}, {"postgres", "scheduler"}};

std::vector<ProjectFile> files_of(const std::vector<std::string>& components) {
  return project_files(Choice::of(components), "armoury");
}

const ProjectFile* find(const std::vector<ProjectFile>& files, std::string_view path) {
  const auto found = std::ranges::find(files, path, &ProjectFile::path);
  return found == files.end() ? nullptr : &*found;
}

bool accepted(std::string_view name) {
  try {
    check_project_name(name);
  } catch (const UsageError&) {
    return false;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_of_the_template_itself_is_left) {
  for (const auto& components : combinations) {
    for (const auto& file : files_of(components)) {
      BOOST_TEST_CONTEXT(file.path) {
        BOOST_TEST(!file.content.empty());
        for (const auto* left : {"[worker]", "[scheduler]", "[database]", "[sqlite]",
                                 "[postgresql]", "[name]", "[image]", "{{name}}", "{{version}}"}) {
          BOOST_TEST(file.content.find(left) == std::string::npos);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_belongs_to_its_component) {
  const auto api = files_of({});
  BOOST_TEST(find(api, "app/api/hello.cpp"));
  BOOST_TEST(find(api, "tests/hello_test.cpp"));
  BOOST_TEST(find(api, ".gitignore"));
  for (const auto* path : {"app/api/shields.cpp", "app/models/shield.h", "migrations/schema.json",
                           "tests/shields_test.cpp", "app/worker/inscribe_runes.h"}) {
    BOOST_TEST(!find(api, path));
    BOOST_TEST(find(files_of({"worker"}), path));
  }
  BOOST_TEST(!find(files_of({"database"}), "migrations/0002_create_jobs/sqlite.sql"));
  for (const auto* path : {"app/scheduler/schedules.cpp", "app/worker/polish_shields.cpp",
                           "migrations/0003_create_schedules/sqlite.sql"}) {
    BOOST_TEST(!find(files_of({"worker"}), path));
    BOOST_TEST(find(files_of({"scheduler"}), path));
  }
}

BOOST_AUTO_TEST_CASE(compose_has_the_services_of_the_components) {
  const auto has = [](const std::vector<std::string>& components, std::string_view service) {
    const auto files = files_of(components);
    return find(files, "compose.yaml")->content.find(service) != std::string::npos;
  };
  for (const auto* service : {"\n  postgres:\n", "\n  migrate:\n", "\n  api:\n"}) {
    BOOST_TEST(has({"postgres"}, service));
    BOOST_TEST(!has({"scheduler"}, service));  // on SQLite
  }
  BOOST_TEST(has({"postgres", "worker"}, "\n  worker:\n"));
  BOOST_TEST(!has({"postgres", "worker"}, "\n  scheduler:\n"));
  BOOST_TEST(has({"postgres", "scheduler"}, "\n  scheduler:\n"));
  BOOST_TEST(!has({"postgres"}, "\n  serve:\n"));
  BOOST_TEST(has({"database"}, "\n  serve:\n"));
  BOOST_TEST(has({"database"}, "data:/data"));
  BOOST_TEST(!has({}, "data:/data"));
}

BOOST_AUTO_TEST_CASE(what_compose_mounts_and_connects_is_there) {
  BOOST_TEST(find(files_of({"postgres"}), "deploy/postgres.sql"));
  BOOST_TEST(!find(files_of({"database"}), "deploy/postgres.sql"));
  const auto has = [](const std::vector<std::string>& components, std::string_view network) {
    const auto files = files_of(components);
    return find(files, "compose.yaml")->content.find(network) != std::string::npos;
  };
  BOOST_TEST(has({"postgres"}, "\n  back: {internal: true}\n  front:\n\nvolumes:\n"));
  BOOST_TEST(has({"postgres", "worker"}, "\n  front:\n  outgoing:\n\nvolumes:\n"));
  BOOST_TEST(!has({"database"}, "\nnetworks:"));
}

BOOST_AUTO_TEST_CASE(the_schema_is_what_the_migrations_make) {
  const auto schema_of = [](const std::vector<std::string>& components) {
    const auto files = files_of(components);
    return find(files, "migrations/schema.json")->content;
  };
  BOOST_TEST(schema_of({"database"}).find("\"shield\"") != std::string::npos);
  BOOST_TEST(schema_of({"database"}).find("aegis_job") == std::string::npos);
  BOOST_TEST(schema_of({"worker"}).find("aegis_job") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(scripts_can_be_run) {
  for (const auto& file : files_of({})) {
    BOOST_TEST(file.executable == (file.path == "deploy/install-packages"));
  }
}

BOOST_AUTO_TEST_CASE(a_name_is_good_for_a_folder_and_a_target) {
  for (const auto* name : {"armoury", "my-project", "Shields2", "a_b"}) BOOST_TEST(accepted(name));
  for (const auto* name : {"", "2shields", "-x", "a b", "a/b", "..", "\xc3\xa4", "test", "aegis"}) {
    BOOST_TEST(!accepted(name));
  }
  BOOST_TEST(!accepted(std::string(65, 'a')));
}
