#include "cli/naming.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/component.h"

namespace aegis::cli {

namespace {

constexpr std::string_view keywords[] = {
    "and",     "asm",     "auto",   "bool",     "break",    "case",   "catch",    "char",
    "class",   "concept", "const",  "continue", "default",  "delete", "do",       "double",
    "else",    "enum",    "export", "extern",   "false",    "float",  "for",      "friend",
    "goto",    "if",      "inline", "int",      "long",     "module", "mutable",  "namespace",
    "new",     "not",     "or",     "operator", "private",  "public", "register", "requires",
    "return",  "short",   "signed", "sizeof",   "static",   "struct", "switch",   "template",
    "this",    "throw",   "true",   "try",      "typedef",  "union",  "unsigned", "using",
    "virtual", "void",    "while",  "main",     "configure"};

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_letter(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
  return is_letter(c) && !is_upper(c) ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string plural_of(const std::string& word) {
  const auto ends = [&](std::string_view end) { return word.ends_with(end); };
  if (ends("y") && !ends("ay") && !ends("ey") && !ends("oy")) {
    return word.substr(0, word.size() - 1) + "ies";
  }
  return word + (ends("s") || ends("x") || ends("ch") || ends("sh") ? "es" : "s");
}

}  // namespace

Name::Name(std::string_view given) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
  const bool good = !given.empty() && is_letter(given.front()) && std::ranges::all_of(given, fits);
  bool begins = true;  // a word
  for (const char c : good ? given : std::string_view()) {
    const bool separator = c == '-' || c == '_';
    if (!separator) {
      if (!snake.empty() && (begins || is_upper(c))) snake += '_';
      snake += lower(c);
      pascal += begins ? upper(c) : c;
    }
    begins = separator;
  }
  if (snake.empty() || std::ranges::find(keywords, snake) != std::end(keywords)) {
    throw UsageError(fmt::format("\"{}\" is no name for this", given),
                     "A name begins with a letter, has letters, digits, - and _, and is no word of "
                     "C++: war_horn, WarHorn.");
  }
  plural = plural_of(snake);
}

std::string Name::kebab() const {
  std::string text = snake;
  std::ranges::replace(text, '_', '-');
  return text;
}

}  // namespace aegis::cli
