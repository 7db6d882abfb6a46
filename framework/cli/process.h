#pragma once

#include <string>
#include <vector>

namespace aegis::cli {

inline constexpr int no_such_program = 127;  ///< as an exit code
inline constexpr int how_is_unknown = 255;   ///< as an exit code: it has ended, nobody knows how

/// Runs a program of PATH in silence and waits for it. Answers its exit code, or no_such_program.
int run_quietly(std::vector<std::string> command);

/// The same for a program that has the terminal, or whatever this one reads and writes.
int run(std::vector<std::string> command);

struct Answer {
  int code = 0;
  std::string text{};  ///< what it wrote to stdout
};
/// The same for a program whose stdout is wanted.
Answer run_and_read(std::vector<std::string> command);
/// The same with stderr, for people.
Answer run_and_read_all(std::vector<std::string> command);

}  // namespace aegis::cli
