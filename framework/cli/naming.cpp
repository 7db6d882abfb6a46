#include "cli/naming.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "cli/usage_error.h"

namespace aegis::cli {

namespace {

constexpr std::string_view keywords[] = {  // of C++20
    "alignas",       "alignof",     "and",
    "and_eq",        "asm",         "auto",
    "bitand",        "bitor",       "bool",
    "break",         "case",        "catch",
    "char",          "char16_t",    "char32_t",
    "char8_t",       "class",       "co_await",
    "co_return",     "co_yield",    "compl",
    "concept",       "const",       "const_cast",
    "consteval",     "constexpr",   "constinit",
    "continue",      "decltype",    "default",
    "delete",        "do",          "double",
    "dynamic_cast",  "else",        "enum",
    "explicit",      "export",      "extern",
    "false",         "float",       "for",
    "friend",        "goto",        "if",
    "inline",        "int",         "long",
    "mutable",       "namespace",   "new",
    "noexcept",      "not",         "not_eq",
    "nullptr",       "operator",    "or",
    "or_eq",         "private",     "protected",
    "public",        "register",    "reinterpret_cast",
    "requires",      "return",      "short",
    "signed",        "sizeof",      "static",
    "static_assert", "static_cast", "struct",
    "switch",        "template",    "this",
    "thread_local",  "throw",       "true",
    "try",           "typedef",     "typeid",
    "typename",      "union",       "unsigned",
    "using",         "virtual",     "void",
    "volatile",      "wchar_t",     "while",
    "xor",           "xor_eq"};

constexpr std::string_view macros[] = {"assert", "errno", "stderr", "stdin", "stdout"};

/// What the code around a part is called, and C's library in the global namespace.
constexpr std::string_view taken[] = {
    "aegis", "app",   "boost",  "configure", "daylight", "db",       "environ", "id",    "in",
    "main",  "patch", "router", "s",         "std",      "timezone", "uint",    "ulong", "ushort"};

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_upper(c) || is_lower(c);
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
  return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string plural_of(const std::string& word) {
  const auto ends = [&](std::string_view end) { return word.ends_with(end); };
  const std::string but_last = word.substr(0, word.size() - 1);
  if (ends("y")) {
    const bool vowel = ends("ay") || ends("ey") || ends("oy") || (ends("uy") && !ends("quy"));
    return vowel ? word + "s" : but_last + "ies";
  }
  if (ends("iz")) return word + "zes";
  if (ends("ss") || ends("us") || ends("is") || ends("x") || ends("z") || ends("ch") ||
      ends("sh")) {
    return word + "es";
  }
  return ends("s") ? word : word + "s";  // notes are many already
}

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Name::Name(std::string_view given) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
  const bool good = !given.empty() && is_letter(given.front()) && std::ranges::all_of(given, fits);
  bool begins = true;  // a word
  for (std::size_t i = 0; good && i < given.size(); ++i) {
    const char c = given[i];
    if (c == '-' || c == '_') {
      begins = true;
      continue;
    }
    // Capitals that stand together are one word: http_log for HTTPLog, user_id for userID.
    if (i > 0 && is_upper(c)) {
      const bool last_of_capitals = i + 1 < given.size() && is_lower(given[i + 1]);
      begins = begins || !is_upper(given[i - 1]) || last_of_capitals;
    }
    if (begins && !snake.empty()) snake += '_';
    snake += lower(c);
    pascal += begins ? upper(c) : lower(c);
    begins = false;
  }
  if (snake.empty() || is_among(keywords, snake) || is_among(macros, snake)) {
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

void check_part_name(const Name& name) {
  if (!is_among(taken, name.snake) && !name.snake.ends_with("_t")) return;
  throw UsageError(fmt::format("\"{}\" is taken: the code around it uses that name", name.snake),
                   fmt::format("Choose another, such as {}_record.", name.snake));
}

}  // namespace aegis::cli
