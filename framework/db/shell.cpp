#include "db/shell.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "aegis/core/error.h"
#include "db/driver.h"
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
  std::vector<std::string> command{"sqlite3", sqlite::read_config(options).file.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  execute(std::move(command), "sqlite3");
}

}  // namespace aegis::db
