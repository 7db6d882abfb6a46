#include "cli/component.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/usage_error.h"
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

/// What a word such as "database=postgresql" names; no component: the API.
struct Named {
  const Component* component = nullptr;
  std::string_view engine{};  ///< empty: it names none
};

/// Throws UsageError.
Named read(const std::string& word) {
  auto [name, engine] = split(word);
  if (engine == "postgres") engine = "postgresql";
  if (name == "postgres" || name == "postgresql" || name == "sqlite") {
    if (!engine.empty()) unknown(word, name);
    engine = name == "sqlite" ? "sqlite" : "postgresql";
    name = "database";
  }
  if (name == api && engine.empty()) return {};
  const auto found = std::ranges::find(components(), name, &Component::name);
  if (found == components().end()) unknown(word, name);
  if (engine.empty()) return {&*found};
  const auto known = std::ranges::find(found->engines, engine);
  if (known != found->engines.end()) return {&*found, *known};
  throw UsageError(
      fmt::format("{} has no \"{}\"{}", name, engine, detail::did_you_mean(engine, found->engines)),
      found->engines.empty() ? fmt::format("Choose {} alone.", name)
                             : fmt::format("Choose one of {}.", fmt::join(found->engines, ", ")));
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
    const auto [component, engine] = read(word);
    if (component == nullptr) continue;
    if (!engine.empty()) {
      if (!choice.engine_.empty() && choice.engine_ != engine) {
        throw UsageError(
            fmt::format("A project has one database, not {} and {}", choice.engine_, engine),
            "Choose one; `aegis add` changes it later.");
      }
      choice.engine_ = engine;
    }
    choice.add(*component);
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

Choice Choice::with(std::span<const std::string> words) const {
  std::vector<std::string> all(words.begin(), words.end());
  const bool names_engine =
      std::ranges::any_of(words, [](const auto& word) { return !read(word).engine.empty(); });
  for (const auto name : names_) {
    all.emplace_back(name);
    if (name == "database" && !names_engine) all.back() += fmt::format("={}", engine_);
  }
  return of(all);
}

Choice Choice::without(std::span<const std::string> words) const {
  std::vector<std::string_view> gone;
  for (const std::string& word : words) {
    const auto [component, engine] = read(word);
    if (component == nullptr) throw UsageError("The API is always there", "Remove what is not.");
    if (!has(component->name) || (!engine.empty() && engine != engine_)) {
      throw UsageError(fmt::format("The project has no {}", word),
                       fmt::format("It has: {}.", this->words()));
    }
    gone.push_back(component->name);
  }
  const auto stays = [&](std::string_view name) {
    return std::ranges::find(gone, name) == gone.end();
  };
  std::vector<std::string> rest;
  for (const auto name : names_) {
    if (!stays(name)) continue;
    for (const auto need : component_of(name).needs) {
      if (stays(need)) continue;
      throw UsageError(fmt::format("{} needs {}", name, need),
                       fmt::format("Remove both: aegis remove {} {}", fmt::join(words, " "), name));
    }
    rest.emplace_back(name);
    if (name == "database") rest.back() += fmt::format("={}", engine_);
  }
  return of(rest);
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

std::vector<std::string> Choice::list() const {
  std::vector<std::string> list(names_.begin(), names_.end());
  for (auto& name : list) {
    if (name == "database") name += fmt::format("={}", engine_);
  }
  return list;
}

std::string Choice::words() const {
  return names_.empty() ? std::string(api) : fmt::format("{}", fmt::join(list(), ","));
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
