#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aegis::cli {

/// What a build stumbled over first.
struct BuildError {
  std::string place{};  ///< app/api/hello.cpp:12:20, of the project where it can be told; maybe ""
  std::string message{};  ///< in one line
  std::string source{};   ///< the lines that show it; maybe ""
  std::string hint{};     ///< what to do; maybe ""
};

/// Reads what compilers (clang, gcc), linkers and CMake print. `folder` is the project's, absolute:
/// an error in a header of elsewhere is told at the line of the project that leads there.
std::optional<BuildError> first_error(std::string_view log, std::string_view folder);

}  // namespace aegis::cli
