#include "db/shell.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "aegis/core/error.h"
#include "db/postgres/config.h"
#include "db/postgres/environment.h"
#include "db/sqlite/config.h"

namespace aegis::db {
namespace {

[[noreturn]] void execute(std::vector<std::string> command, std::string_view package) {
  std::vector<char*> pointers;
  for (auto& word : command) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execvp(pointers.front(), pointers.data());
  throw Error(Errc::invalid,
              fmt::format("{} cannot be run: {}; on Debian it comes with apt-get "
                          "install {}",
                          command.front(), std::generic_category().message(errno), package));
}

}  // namespace

void become_shell(const DatabaseOptions& options, const std::vector<std::string>& arguments) {
  std::vector<std::string> command;
  const bool sqlite = options.url.starts_with("sqlite:");
  if (sqlite) {
    command = {"sqlite3", sqlite::read_config(options).file.string()};
  } else {
    for (const auto& [name, value] : postgres::environment_of(postgres::read_config(options))) {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
    command = {"psql"};
  }
  command.insert(command.end(), arguments.begin(), arguments.end());
  execute(std::move(command), sqlite ? "sqlite3" : "postgresql-client");
}

}  // namespace aegis::db
