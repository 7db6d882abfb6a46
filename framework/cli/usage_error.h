#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace aegis::cli {

/// The command line is wrong: what, and what to do. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  UsageError(const std::string& what, std::string hint_text)
      : std::runtime_error(what), hint(std::move(hint_text)) {}

  std::string hint;
};

/// A command that works on a project was given a folder without one: `missing` is not there.
inline UsageError no_project(std::string_view missing) {
  return {"This is no project: there is no " + std::string(missing),
          "Run it in the folder of a project; `aegis init` makes one."};
}

}  // namespace aegis::cli
