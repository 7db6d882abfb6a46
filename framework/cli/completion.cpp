#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>

#include "cli/component.h"
#include "cli/field.h"
#include "cli/generate.h"
#include "cli/usage_error.h"
#include "core/describe/suggest.h"
#include "embedded/completion_scripts.h"

namespace aegis::cli {

namespace {

struct Shell {
  std::string_view name, script;
};
constexpr Shell shells[] = {{"bash", "aegis.bash"}, {"fish", "aegis.fish"}, {"zsh", "_aegis"}};

/// Candidates for a word, each given whole.
class Answer {
 public:
  explicit Answer(std::string_view current) : current_(current) {}

  void add(std::string value, std::string_view help = "") {
    if (value.starts_with(current_)) found_.push_back({std::move(value), std::string(help)});
  }
  void add_folders() { found_.push_back({std::string(any_folder)}); }
  std::vector<Candidate> take() { return std::move(found_); }

 private:
  std::string_view current_;
  std::vector<Candidate> found_;
};

/// "database=sqlite,wor"
void add_components(Answer& answer, std::string_view begun) {
  const auto comma = begun.rfind(',');
  const std::string before(begun.substr(0, comma == begun.npos ? 0 : comma + 1));
  for (const Component& component : components()) {
    if (before.find(component.name) != before.npos) continue;  // chosen already
    answer.add(fmt::format("{}{}", before, component.name), component.summary);
    for (const auto engine : component.engines) {
      answer.add(fmt::format("{}{}={}", before, component.name, engine), component.summary);
    }
  }
}

/// "title:text:opt"
void add_field(Answer& answer, std::string_view begun) {
  const auto colon = begun.rfind(':');
  if (colon == begun.npos) return;  // a name, which nobody knows
  const std::string_view before = begun.substr(0, colon + 1);
  const bool has_type = std::ranges::count(before, ':') > 1;
  for (const auto word : has_type ? field_words() : field_types()) {
    answer.add(fmt::format("{}{}", before, word));
  }
}

/// What an option or a parameter takes, by its name: it means the same in every command.
void add_values(Answer& answer, std::string_view name, std::string_view begun) {
  if (name == "--components" || name == "COMPONENT") {
    add_components(answer, begun);
  } else if (name == "KIND") {
    for (const auto kind : part_kinds()) answer.add(std::string(kind));
  } else if (name == "FIELD") {
    add_field(answer, begun);
  } else if (name == "SHELL") {
    for (const auto& shell : shells) answer.add(std::string(shell.name));
  } else if (name == "--preset") {
    for (const char* preset : {"dev", "release"}) answer.add(preset);
  } else if (name == "--output-dir") {
    answer.add_folders();
  }
}

using Options = std::vector<const CLI::Option*>;

Options options_of(const CLI::App& command, bool positional) {
  return command.get_options([=](const CLI::Option* option) {
    return option->get_positional() == positional && !option->get_group().empty();
  });
}

bool takes_a_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

const CLI::Option* option_named(const CLI::App& command, const std::string& word) {
  const auto options = options_of(command, false);
  const auto found = std::ranges::find_if(
      options, [&](const CLI::Option* option) { return option->check_name(word); });
  return found == options.end() ? nullptr : *found;
}

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
  return command.get_subcommands(
      [](const CLI::App* each) { return !each->get_name().empty() && !each->get_group().empty(); });
}

/// Where the words before the last one have led to.
struct Position {
  const CLI::App* command;
  const CLI::Option* awaits_value = nullptr;
  std::size_t parameters = 0;
};

Position follow(const CLI::App& program, std::span<const std::string> words) {
  Position at{.command = &program};
  for (const std::string& word : words) {
    if (at.awaits_value) {
      at.awaits_value = nullptr;
    } else if (word.starts_with('-')) {
      const CLI::Option* option = option_named(*at.command, word);
      if (option && takes_a_value(*option)) at.awaits_value = option;
    } else if (const auto commands = commands_of(*at.command); !commands.empty()) {
      const auto next = std::ranges::find(commands, word, &CLI::App::get_name);
      if (next != commands.end()) at = {.command = *next};
    } else {
      ++at.parameters;
    }
  }
  return at;
}

}  // namespace

std::vector<Candidate> complete(const CLI::App& program, std::span<const std::string> words) {
  const std::string current = words.empty() ? "" : words.back();
  const Position at = follow(program, words.first(words.empty() ? 0 : words.size() - 1));
  Answer answer(current);
  if (at.awaits_value) {
    add_values(answer, at.awaits_value->get_name(), current);
  } else if (current.starts_with('-')) {
    for (const CLI::Option* option : options_of(*at.command, false)) {
      for (const auto& name : option->get_lnames()) {
        answer.add("--" + name, option->get_description());
      }
    }
  } else if (const auto commands = commands_of(*at.command); !commands.empty()) {
    for (const CLI::App* command : commands) {
      answer.add(command->get_name(), command->get_description());
    }
  } else if (const auto parameters = options_of(*at.command, true); !parameters.empty()) {
    const std::size_t last = parameters.size() - 1;
    const CLI::Option& parameter = *parameters[std::min(at.parameters, last)];
    if (at.parameters <= last || parameter.get_items_expected_max() > 1) {
      add_values(answer, parameter.get_name(), current);
    }
  }
  return answer.take();
}

int print_candidates(const CLI::App& program, std::span<const std::string> words) {
  for (const auto& [value, help] : complete(program, words)) {
    fmt::print("{}{}{}\n", value, help.empty() ? "" : "\t", help);
  }
  return 0;
}

int print_completion_script(const std::string& shell) {
  const auto known = std::ranges::find(shells, std::string_view(shell), &Shell::name);
  if (known == std::end(shells)) {
    std::vector<std::string_view> names;
    for (const auto& each : shells) names.push_back(each.name);
    throw UsageError(fmt::format("There is no completion for \"{}\"{}", shell,
                                 detail::did_you_mean(shell, names)),
                     fmt::format("There is one for {}.", fmt::join(names, ", ")));
  }
  for (const EmbeddedFile& file : embedded::completion_scripts()) {
    if (file.name == known->script) fmt::print("{}", file.content);
  }
  return 0;
}

}  // namespace aegis::cli
