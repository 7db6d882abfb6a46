#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace aegis::cli {

/// The command line is wrong: what, and what to do. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  UsageError(const std::string& what, std::string hint_text)
      : std::runtime_error(what), hint(std::move(hint_text)) {}

  std::string hint;
};

}  // namespace aegis::cli
