// The `aegis` program. Exit codes: 0, 1 it failed, 2 the command line is wrong (docs/cli.md).
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <system_error>

#include "cli/change.h"
#include "cli/completion.h"
#include "cli/dev.h"
#include "cli/doctor.h"
#include "cli/generate.h"
#include "cli/init.h"
#include "cli/list_components.h"
#include "cli/terminal.h"
#include "cli/usage_error.h"
#include "core/describe/suggest.h"

using namespace aegis;

namespace {

/// Says which commands there are when the command line names none, or one that there is not.
bool explain_commands(const CLI::App& program) {
  if (!program.get_subcommands().empty()) return false;
  const auto words = program.remaining(true);
  if (!words.empty() && words.front().starts_with('-')) return false;
  std::vector<std::string_view> names;
  std::string listed;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
    listed += (listed.empty() ? "" : ", ") + command->get_name();
  }
  cli::complain(words.empty() ? "Which command?"
                              : fmt::format("There is no command \"{}\"{}", words.front(),
                                            detail::did_you_mean(words.front(), names)),
                "Commands: " + listed + ". `aegis --help` explains them.");
  return true;
}

/// Programs that it starts can be waited for, and no file or socket becomes a standard stream.
void put_right_what_is_inherited() {
  std::signal(SIGCHLD, SIG_DFL);
  int stream = 0;
  while ((stream = ::open("/dev/null", O_RDWR)) >= 0 && stream <= STDERR_FILENO) {
  }
  if (stream > STDERR_FILENO) ::close(stream);
}

/// The exit code of what has printed: a full disk is a failure.
int written(int code) {
  if (std::fflush(stdout) == 0) return code;
  cli::complain(
      fmt::format("the output cannot be written: {}", std::generic_category().message(errno)), "");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  put_right_what_is_inherited();
  CLI::App program{"aegis " AEGIS_VERSION ": services in C++20", "aegis"};
  program.set_version_flag("--version", "aegis " AEGIS_VERSION);
  program.require_subcommand(1);
  std::function<int()> command;

  cli::InitOptions init;
  auto* init_command = program.add_subcommand("init", "Make a project");
  init_command->add_option("NAME", init.name, "Of the project, its folder and its program")
      ->required();
  auto* components = init_command
                         ->add_option("--components", init.components,
                                      "Such as database=sqlite,worker; `aegis components` "
                                      "lists them. Without: asks")
                         ->delimiter(',')
                         ->allow_extra_args(false);
  init_command->add_option("--output-dir", init.output_dir, "Where the folder goes")
      ->capture_default_str();
  init_command->add_flag("--force", init.force, "Into a folder that is there, over its files");
  init_command->add_flag("--yes,-y", init.yes, "Ask nothing");
  init_command->add_flag("--dry-run", init.dry_run, "Say what would be written, write nothing");
  init_command->add_flag("--no-git", init.no_git, "Make no git repository");
  init_command->add_flag("--json", init.json, "For programs");
  init_command->callback([&] {
    init.components_given = components->count() > 0;
    command = [&] { return cli::init(init); };
  });

  cli::GenerateOptions generate;
  auto* generate_command =
      program.add_subcommand("generate", "Add a part, with a test, to the project in this folder");
  generate_command
      ->add_option("KIND", generate.kind, "handler, model, resource, job, schedule or migration")
      ->required();
  generate_command->add_option("NAME", generate.name, "Such as war_horn")->required();
  generate_command->add_option(
      "FIELD", generate.details,
      "name:type[:optional][:unique][:indexed] of text, integer, real, "
      "boolean, timestamp; for a schedule its timing, such as \"0 3 * * *\" or \"every 15m\"");
  generate_command->add_flag("--json", generate.json, "For programs");
  generate_command->add_flag("--dry-run", generate.dry_run, "Say what it would do, write nothing");
  generate_command->callback([&] { command = [&] { return cli::generate(generate); }; });

  cli::DevOptions dev;
  auto* dev_command = program.add_subcommand(
      "dev", "Run the project in this folder; build and restart it whenever it changes");
  dev_command->add_option("--preset", dev.preset, "Of CMakePresets.json")->capture_default_str();
  dev_command->callback([&] { command = [&] { return cli::dev(dev); }; });

  cli::ChangeOptions change;
  const auto add_change = [&](std::string name, std::string help,
                              int (*run)(const cli::ChangeOptions&)) {
    auto* sub = program.add_subcommand(std::move(name), std::move(help));
    sub->add_flag("--force", change.force, "Though not all is committed or parts are in use");
    sub->add_flag("--yes,-y", change.yes, "Ask nothing");
    sub->add_flag("--dry-run", change.dry_run, "Say what it would do, write nothing");
    sub->add_flag("--json", change.json, "For programs; asks nothing");
    sub->callback([&, run] { command = [&, run] { return run(change); }; });
    return sub;
  };
  const auto takes_components = [&](CLI::App* sub) {
    sub->add_option("COMPONENT", change.components, "`aegis components` lists them")
        ->delimiter(',')
        ->required();
  };
  takes_components(add_change("add", "Add components to the project in this folder", cli::add));
  takes_components(
      add_change("remove", "Remove components from the project in this folder", cli::remove));
  add_change("update", "Bring the project in this folder to this version of Aegis", cli::update);

  bool json = false;
  auto* components_command = program.add_subcommand("components", "What a project can be made of");
  components_command->add_flag("--json", json, "For programs");
  components_command->callback([&] { command = [&] { return cli::list_components(json); }; });

  auto* doctor_command =
      program.add_subcommand("doctor", "Look for what is missing to build and run a project");
  doctor_command->add_flag("--json", json, "For programs");
  doctor_command->callback([&] { command = [&] { return cli::doctor(json); }; });

  std::string shell;
  auto* completion_command =
      program.add_subcommand("completion", "The script that has a shell complete this program");
  completion_command->add_option("SHELL", shell, "bash, fish or zsh")->required();
  completion_command->callback(
      [&] { command = [&] { return cli::print_completion_script(shell); }; });

  auto* version_command = program.add_subcommand("version", "The version of Aegis");
  version_command->add_flag("--json", json, "For programs");
  version_command->callback([&] {
    command = [&] {
      fmt::print(fmt::runtime(json ? "{{\"version\":\"{}\"}}\n" : "aegis {}\n"), AEGIS_VERSION);
      return 0;
    };
  });

  if (argc > 1 && argv[1] == cli::complete_command) {
    return cli::print_candidates(program, std::vector<std::string>(argv + 2, argv + argc));
  }
  try {
    program.parse(argc, argv);
    return written(command());
  } catch (const CLI::Success& done) {
    return written(program.exit(done));
  } catch (const CLI::ParseError& error) {
    if (!explain_commands(program)) {
      cli::complain(
          error.what(),
          "`aegis --help` shows the commands, `aegis init --help` what one of them takes.");
    }
    return 2;
  } catch (const cli::UsageError& error) {
    cli::complain(error.what(), error.hint);
    return 2;
  } catch (const cli::NoAnswer&) {
    cli::complain("There was no answer: nothing is written", "");
    return 1;
  } catch (const std::filesystem::filesystem_error& error) {
    cli::complain(fmt::format("{}: {}", error.path1().string(), error.code().message()), "");
    return 1;
  } catch (const std::system_error& error) {
    cli::complain(error.what(), "");
    return 1;
  }
}
