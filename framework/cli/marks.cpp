#include "cli/marks.h"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <vector>

namespace aegis::cli {

namespace {

constexpr std::string_view leaders[] = {"<!--", "//", "#", "--"};
constexpr std::string_view marks[] = {"name",       "image",  "database", "sqlite",
                                      "postgresql", "worker", "scheduler"};

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

struct Mark {
  std::string_view before;  // the line up to its mark, without an empty comment
  std::string_view name;    // "worker", "!worker" or "/worker"
  bool alone;               // nothing else is on the line
};

/// The mark at the end of a line.
std::optional<Mark> mark_of(std::string_view line) {
  std::string_view rest = trimmed(line.substr(0, line.size() - (line.ends_with("-->") ? 3 : 0)));
  if (!rest.ends_with(']')) return std::nullopt;
  const auto bracket = line.rfind('[');
  if (bracket == line.npos) return std::nullopt;
  const std::string_view name = line.substr(bracket + 1, line.rfind(']') - bracket - 1);
  const bool prefixed = name.starts_with('!') || name.starts_with('/');
  bool known = false;
  for (const auto mark : marks) known |= name.substr(prefixed ? 1 : 0) == mark;
  if (!known) return std::nullopt;

  std::string_view before = line.substr(0, bracket);
  before = before.substr(0, before.find_last_not_of(' ') + 1);
  for (const auto leader : leaders) {
    if (!before.ends_with(leader)) continue;
    before.remove_suffix(leader.size());
    before = before.substr(0, before.find_last_not_of(' ') + 1);
    return Mark{before, name, before.empty()};
  }
  for (const auto leader : leaders) {  // a comment with other words
    if (before.find(leader) != before.npos) return Mark{before, name, false};
  }
  return std::nullopt;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return lower;
}

void replace_all(std::string& text, std::string_view old, std::string_view with) {
  for (auto at = text.find(old); at != text.npos; at = text.find(old, at + with.size())) {
    text.replace(at, old.size(), with);
  }
}

}  // namespace

std::string apply_marks(std::string_view text, const Choice& choice, std::string_view name,
                        std::string_view file) {
  std::string out;
  std::vector<std::string> open;  // the blocks around the line
  std::size_t dropped_by = 0;     // the first of them that is not kept, from 1; 0: all are
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view given = text.substr(0, end);
    std::string line(given);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);

    if (const auto mark = mark_of(given)) {
      if (mark->alone && mark->name.starts_with('/')) {
        if (open.empty() || !open.back().ends_with(mark->name.substr(1))) {
          throw std::logic_error(fmt::format("{}: [{}] ends what is not open", file, mark->name));
        }
        if (dropped_by == open.size()) dropped_by = 0;
        open.pop_back();
        continue;
      }
      if (mark->alone) {
        open.emplace_back(mark->name);
        if (dropped_by == 0 && !choice.has(mark->name)) dropped_by = open.size();
        continue;
      }
      const bool is_name = mark->name == "name" || mark->name == "image";
      if (!is_name && !choice.has(mark->name)) continue;
      line = std::string(mark->before);
      if (is_name) {
        const std::string own = mark->name == "image" ? lower_case(name) : std::string(name);
        replace_all(line, "\"shields\"", fmt::format("\"{}\"", own));
        replace_all(line, "\"shields:", fmt::format("\"{}:", own));
      }
    }
    if (dropped_by != 0) continue;
    if (line.empty() && (out.empty() || out.ends_with("\n\n"))) continue;
    out += line;
    out += '\n';
  }
  if (!open.empty()) {
    throw std::logic_error(fmt::format("{}: [{}] does not end", file, open.back()));
  }
  while (out.ends_with("\n\n")) out.pop_back();
  replace_all(out, "{{name}}", name);
  replace_all(out, "{{version}}", AEGIS_VERSION);
  return out;
}

}  // namespace aegis::cli
