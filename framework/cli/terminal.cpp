#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace aegis::cli {

namespace {

bool has_colours(int stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(stream) != 0 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

std::string styled(std::string_view text, std::string_view code, int stream) {
  return has_colours(stream) ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

}  // namespace

bool is_interactive() {
  return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
}

bool has_colours() {
  return has_colours(STDOUT_FILENO);
}

std::string bold(std::string_view text) {
  return styled(text, "1", STDOUT_FILENO);
}

void complain(std::string_view what, std::string_view hint) {
  // did_you_mean() ends with a question mark.
  fmt::print(stderr, "{} {}{}\n", styled("aegis:", "1;31", STDERR_FILENO), what,
             what.ends_with('?') ? "" : ".");
  if (!hint.empty()) fmt::print(stderr, "  {}\n", hint);
}

std::string ask(std::string_view question, std::string_view usual) {
  fmt::print("{} ({}) ", question, usual);
  std::fflush(stdout);
  std::string answer;
  if (!std::getline(std::cin, answer)) {
    fmt::print("\n");
    throw NoAnswer();
  }
  const auto begin = answer.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return std::string(usual);
  return answer.substr(begin, answer.find_last_not_of(" \t\r") - begin + 1);
}

bool confirm(std::string_view question, bool usual) {
  const std::string answer = ask(question, usual ? "yes" : "no");
  return answer.starts_with('y') || answer.starts_with('Y');
}

}  // namespace aegis::cli
