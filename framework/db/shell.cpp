#include "db/shell.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "aegis/core/error.h"
#include "db/postgres/config.h"
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

/// psql reads from the environment what is no option of its own. Keywords that have no variable
/// there only tune the connection.
void export_keywords(const postgres::Config& config) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> known(PQconndefaults(),
                                                                           PQconninfoFree);
  for (const PQconninfoOption* option = known.get(); option && option->keyword; ++option) {
    for (const auto& [keyword, value] : config.keywords) {
      if (keyword == option->keyword && option->envvar) ::setenv(option->envvar, value.c_str(), 1);
    }
  }
}

}  // namespace

void become_shell(const DatabaseOptions& options, const std::vector<std::string>& arguments) {
  std::vector<std::string> command;
  const bool sqlite = options.url.starts_with("sqlite:");
  if (sqlite) {
    command = {"sqlite3", sqlite::read_config(options).file.string()};
  } else {
    export_keywords(postgres::read_config(options));
    command = {"psql"};
  }
  command.insert(command.end(), arguments.begin(), arguments.end());
  execute(std::move(command), sqlite ? "sqlite3" : "postgresql-client");
}

}  // namespace aegis::db
