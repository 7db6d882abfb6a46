#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace aegis::cli {

/// What the shells' scripts call: `aegis complete WORD…`.
inline constexpr std::string_view complete_command = "complete";
/// A candidate that stands for the folders there are.
inline constexpr std::string_view any_folder = ":folders";

struct Candidate {
  std::string value;
  std::string help{};
};

/// What may stand in the place of the last of `words`, which are those behind the program's name.
std::vector<Candidate> complete(const CLI::App& program, std::span<const std::string> words);

/// Prints them: a value, a tab and its help a line. Answers the exit code.
int print_candidates(const CLI::App& program, std::span<const std::string> words);

/// Prints the script by which a shell, bash, zsh or fish, completes `aegis`. Throws UsageError for
/// another one. Answers the exit code.
int print_completion_script(const std::string& shell);

}  // namespace aegis::cli
