#include "cli/component.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/describe/suggest.h"

namespace aegis::cli {

namespace {

constexpr std::string_view api = "api";

const Component& component_of(std::string_view name) {
  return *std::ranges::find(components(), name, &Component::name);
}

[[noreturn]] void unknown(const std::string& word, std::string_view name) {
  std::vector<std::string_view> known{api};
  for (const auto& component : components()) {
    known.push_back(component.name);
    known.insert(known.end(), component.engines.begin(), component.engines.end());
  }
  throw UsageError(
      fmt::format("There is no component \"{}\"{}", word, detail::did_you_mean(name, known)),
      "`aegis components` lists them.");
}

/// "database[postgresql]" and "database=postgresql" as {"database", "postgresql"}.
std::pair<std::string_view, std::string_view> split(std::string_view word) {
  const auto bracket = word.ends_with(']') ? word.find('[') : word.npos;
  if (bracket != word.npos) {
    return {word.substr(0, bracket), word.substr(bracket + 1, word.size() - bracket - 2)};
  }
  const auto sign = word.find('=');
  if (sign == word.npos) return {word, {}};
  return {word.substr(0, sign), word.substr(sign + 1)};
}

std::string_view shown(std::string_view engine) {
  return engine == "sqlite" ? "SQLite" : "PostgreSQL";
}

}  // namespace

std::span<const Component> components() {
  static const std::vector<Component> all{
      {.name = "database",
       .summary = "models, sessions and migrations, on SQLite or PostgreSQL",
       .engines = {"sqlite", "postgresql"}},
      {.name = "worker", .summary = "durable jobs, run in the background", .needs = {"database"}},
      {.name = "scheduler",
       .summary = "schedules: when a job is to run, by cron or again and again",
       .needs = {"worker"}},
  };
  return all;
}

Choice Choice::of(std::span<const std::string> words) {
  Choice choice;
  for (const std::string& word : words) {
    auto [name, engine] = split(word);
    if (engine == "postgres") engine = "postgresql";
    if (name == "postgres" || name == "postgresql" || name == "sqlite") {
      if (!engine.empty()) unknown(word, name);
      engine = name == "sqlite" ? "sqlite" : "postgresql";
      name = "database";
    }
    if (name == api && engine.empty()) continue;
    const auto found = std::ranges::find(components(), name, &Component::name);
    if (found == components().end()) unknown(word, name);
    if (!engine.empty()) {
      const auto known = std::ranges::find(found->engines, engine);
      if (known == found->engines.end()) {
        throw UsageError(fmt::format("{} has no \"{}\"{}", name, engine,
                                     detail::did_you_mean(engine, found->engines)),
                         found->engines.empty()
                             ? fmt::format("Choose {} alone.", name)
                             : fmt::format("Choose one of {}.", fmt::join(found->engines, ", ")));
      }
      if (!choice.engine_.empty() && choice.engine_ != *known) {
        throw UsageError(
            fmt::format("A project has one database, not {} and {}", choice.engine_, *known),
            "Choose one; DATABASE_URL changes it later.");
      }
      choice.engine_ = *known;
    }
    choice.add(*found);
  }
  if (choice.has("database") && choice.engine_.empty()) {
    choice.engine_ = component_of("database").engines.front();
  }
  // In the order of the list, whatever the order of the words.
  std::ranges::sort(choice.names_, {}, [](std::string_view name) {
    return std::ranges::find(components(), name, &Component::name) - components().begin();
  });
  std::erase_if(choice.added_, [&](const std::string& note) {  // those that were asked for as well
    return std::ranges::any_of(words, [&](const std::string& word) {
      return note.starts_with(fmt::format("{}:", split(word).first));
    });
  });
  return choice;
}

void Choice::add(const Component& component) {
  if (has(component.name)) return;
  names_.push_back(component.name);
  for (const auto need : component.needs) {
    if (!has(need)) added_.push_back(fmt::format("{}: {} needs it", need, component.name));
    add(component_of(need));
  }
}

bool Choice::has(std::string_view mark) const {
  if (mark.starts_with('!')) return !has(mark.substr(1));
  return mark == engine_ || std::ranges::find(names_, mark) != names_.end();
}

std::string Choice::words() const {
  if (names_.empty()) return std::string(api);
  std::string text;
  for (const auto name : names_) {
    if (!text.empty()) text += ',';
    text += name;
    if (name == "database") text += fmt::format("={}", engine_);
  }
  return text;
}

std::string Choice::text() const {
  std::string text = "API";
  for (const auto name : names_) {
    text += fmt::format(", {}", name);
    if (name == "database") text += fmt::format(" ({})", shown(engine_));
  }
  return text;
}

}  // namespace aegis::cli
