#include "cli/build_error.h"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

using Lines = std::vector<std::string_view>;

struct Hint {
  std::string_view sign, hint;
};

// The first whose sign the message has.
constexpr Hint hints[] = {
    {"expected ';'", "A ';' is missing where the ^ points, or at the end of the line before."},
    {"expected '}'", "A '{' that was opened before is never closed."},
    {"does not list every member",
     "Name each member in the macro; those without rules as (member)."},
    {"a field with the attribute primary_key", "Such as (id, primary_key)."},
    {"cannot inject a handler parameter",
     "What a handler can ask for is in docs/handlers.md; a path's segment is Path<\"id\", int>."},
    {"cannot answer with a result", "Give the struct AEGIS_FIELDS, or make it one of these."},
    {"A handler is a coroutine function",
     "Let it return awaitable<T>, and end with co_return instead of return."},
    {"to function return type 'awaitable<", "A coroutine ends with co_return, not with return."},
    {"'co_await' in", "Let the function return awaitable<T>: only a coroutine can wait."},
    {"undefined symbol", "It is declared, but defined nowhere: is its .cpp file below app/?"},
    {"undefined reference", "It is declared, but defined nowhere: is its .cpp file below app/?"},
    {"duplicate symbol", "Two sources define it; in a header, make it inline."},
    {"multiple definition", "Two sources define it; in a header, make it inline."},
    {"find_package", "`aegis doctor` says what is not installed."},
    {"Could not find", "`aegis doctor` says what is not installed."},
    {"file not found", "Paths in #include \"…\" are relative to app/, or to the file."},
    {"No such file or directory", "Paths in #include \"…\" are relative to app/, or to the file."},
    {"use of undeclared identifier",
     "Is its header included, and its namespace named (using namespace aegis)?"},
    {"unknown type name",
     "Is its header included, and its namespace named (using namespace aegis)?"},
    {"-Werror", "Warnings are errors here: CMAKE_COMPILE_WARNING_AS_ERROR is on."},
};

// Messages about a model's columns and members, which the sign alone does not tell from others.
std::string hint_for(std::string_view message, std::string_view around) {
  if (message.find("no member named") != message.npos) {
    if (message.find("aegis_columns'") != message.npos) {
      return "The columns are those that AEGIS_TABLE names.";
    }
    if (around.find("AEGIS_TABLE") != around.npos || around.find("AEGIS_FIELDS") != around.npos) {
      return "AEGIS_TABLE and AEGIS_FIELDS take the members as the struct declares them.";
    }
  }
  for (const auto& [sign, hint] : hints) {
    if (message.find(sign) != message.npos) return std::string(hint);
  }
  return "";
}

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// path:line:column: kind: message
struct Diagnostic {
  std::string_view path, position, kind, message;
};

std::optional<Diagnostic> read_diagnostic(std::string_view line) {
  for (const std::string_view kind : {"fatal error: ", "error: ", "note: "}) {
    const auto at = line.find(kind);
    if (at == line.npos || at < 3 || line.substr(at - 2, 2) != ": ") continue;
    const std::string_view place = line.substr(0, at - 2);
    // The position is made of digits and colons, from the back.
    const auto last = place.find_last_not_of("0123456789:");
    if (last == place.npos || last + 2 >= place.size() || place[last + 1] != ':') continue;
    return Diagnostic{place.substr(0, last + 1), place.substr(last + 2), kind,
                      line.substr(at + kind.size())};
  }
  return std::nullopt;
}

/// The path below the project's folder, or nothing for one of elsewhere and of the build's.
std::optional<std::string> in_project(std::string_view path, std::string_view folder) {
  // Compilers run two folders below, in build/<preset>.
  const fs::path base = fs::path(folder) / "build" / "any";
  const std::string relative =
      (base / path).lexically_normal().lexically_relative(folder).generic_string();
  if (relative.empty() || relative.starts_with("..") || relative.starts_with("build/")) return {};
  return relative;
}

std::string without(std::string_view text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return std::string(text);
}

/// The excerpt below a diagnostic: "   12 |   int x = 1" and what points into it.
std::string excerpt(const Lines& lines, std::size_t after) {
  std::string text;
  for (std::size_t i = after + 1; i < lines.size() && i <= after + 3; ++i) {
    const auto bar = lines[i].find(" | ");
    if (bar == lines[i].npos || lines[i].find_first_not_of(" 0123456789") < bar) break;
    text += std::string(lines[i]) + "\n";
  }
  return text;
}

std::optional<BuildError> compiler_error(const Lines& lines, std::size_t at,
                                         std::string_view folder) {
  const auto error = read_diagnostic(lines[at]);
  if (!error || error->kind == "note: ") return std::nullopt;
  BuildError told{.message = without(error->message, "static assertion failed: ")};
  std::size_t shown = at;
  auto path = in_project(error->path, folder);
  std::string_view position = error->position;
  std::string around = excerpt(lines, at);
  for (std::size_t i = at + 1; i < lines.size(); ++i) {
    const auto note = read_diagnostic(lines[i]);
    if (!note) continue;
    if (note->kind != "note: ") break;
    around += note->message;
    if (path) continue;
    path = in_project(note->path, folder);
    if (path) {
      position = note->position;
      shown = i;
    }
  }
  told.place = (path ? *path : std::string(error->path)) + ":" + std::string(position);
  told.source = excerpt(lines, shown);
  told.hint = hint_for(told.message, around);
  return told;
}

/// "mold: error: undefined symbol: f()", "ld.lld: error: …", "/usr/bin/ld: …: undefined reference…"
std::optional<BuildError> linker_error(std::string_view line) {
  for (const std::string_view name : {"mold: error: ", "ld.lld: error: ", "/usr/bin/ld: "}) {
    const auto at = line.find(name);
    if (at == line.npos || at > 20) continue;
    BuildError told{.message = std::string(line.substr(at + name.size()))};
    told.hint = hint_for(told.message, "");
    return told;
  }
  return std::nullopt;
}

/// "CMake Error at CMakeLists.txt:5 (find_package):", and the message indented below.
std::optional<BuildError> cmake_error(const Lines& lines, std::size_t at) {
  if (!lines[at].starts_with("CMake Error")) return std::nullopt;
  BuildError told;
  const auto open = lines[at].find(" at "), close = lines[at].find(" (");
  if (open != std::string_view::npos && close != std::string_view::npos && close > open) {
    told.place = lines[at].substr(open + 4, close - open - 4);
  }
  for (std::size_t i = at + 1; i < lines.size(); ++i) {
    if (!lines[i].empty() && !lines[i].starts_with(' ')) break;
    if (lines[i].empty() && !told.message.empty()) break;  // the first paragraph says it
    if (!lines[i].empty()) {
      told.message += (told.message.empty() ? "" : " ") +
                      std::string(lines[i].substr(lines[i].find_first_not_of(' ')));
    }
  }
  if (told.message.empty()) told.message = lines[at];
  told.hint = hint_for(told.message, "");
  return told;
}

}  // namespace

std::optional<BuildError> first_error(std::string_view log, std::string_view folder) {
  const Lines lines = lines_of(log);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (auto found = compiler_error(lines, i, folder)) return found;
    if (auto found = linker_error(lines[i])) return found;
    if (auto found = cmake_error(lines, i)) return found;
    if (lines[i].starts_with("ninja: error: ")) {
      return BuildError{.message = without(lines[i], "ninja: error: ")};
    }
  }
  return std::nullopt;
}

}  // namespace aegis::cli
