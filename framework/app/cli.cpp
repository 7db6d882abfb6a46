#include "app/cli.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "aegis/core/config.h"
#include "aegis/core/json.h"
#include "aegis/core/log.h"
#include "app/database_settings.h"
#include "app/db_commands.h"
#include "app/health_client.h"
#include "app/jobs_commands.h"
#include "app/scheduler.h"
#include "app/schedules_commands.h"
#include "app/serve.h"
#include "app/worker.h"
#include "core/describe/suggest.h"
#include "core/describe/text.h"
#include "http/openapi.h"

namespace aegis {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t ports_to_try = 10;  // as far as `serve` looks for a free one

/// What every command works with.
struct Context {
  App::Parts& parts;
  Config config{};
  Settings settings{};
};

struct HealthOptions {
  bool detailed = false;
  bool json = false;
  bool probe = false;
};

bool colours() {
  return ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
}

// How many ports `serve` may have tried until it found a free one.
int tries(const Context& context) {
  return context.config.has("PORT") ? 1 : ports_to_try;
}

// The service of this name: at PORT, or at a later port when `serve` had to move on; or at
// HEALTH_PORT.
std::optional<HealthAnswer> find_service(const Context& context, const std::string& target) {
  const std::string& host = context.settings.host;
  const std::string here = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host;
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < tries(context); ++i) {
    ports.push_back(static_cast<std::uint16_t>(context.settings.port + i));
  }
  const std::uint16_t health_port = context.settings.health_port;
  if (health_port != 0 && std::ranges::find(ports, health_port) == ports.end()) {
    ports.push_back(health_port);
  }
  for (const std::uint16_t port : ports) {
    auto answer = ask_health(here, port, target, 10s);
    if (!answer) continue;
    const auto report = read_health(answer->json);
    if (report && report->service == context.parts.name) return answer;
  }
  return std::nullopt;
}

int health(const Context& context, const HealthOptions& options) {
  const bool brief = options.json && !options.detailed;
  const auto answer = find_service(context, options.probe ? "/health/probe"
                                            : brief       ? "/health"
                                                          : "/health/detailed");
  if (!answer) {
    const int last = context.settings.port + tries(context) - 1;
    const std::string ports = fmt::format("{}{}", context.settings.port,
                                          tries(context) > 1 ? fmt::format("–{}", last) : "");
    fmt::print(stderr, "No {} service answers at {}:{}. Is it running? (`serve` starts it.)\n",
               context.parts.name, context.settings.host, ports);
    return options.probe ? exit_failed : exit_unavailable;
  }
  if (options.json) {
    fmt::print("{}", answer->json);
  } else if (!options.probe) {
    fmt::print("{}", read_health(answer->json)->text(options.detailed, colours()));
  }
  return answer->status == 200 ? exit_ok : exit_failed;
}

int show_routes(App::Parts& parts, bool json) {
  parts.add_routes([] { return std::string(); });
  std::string out = json ? "[" : "";
  for (const auto& endpoint : parts.router.endpoints()) {
    if (json) {
      if (out.size() > 1) out += ',';
      out += R"({"method":)";
      append_json(to_string(endpoint->method), out);
      out += R"(,"path":)";
      append_json(endpoint->path, out);
      out += R"(,"summary":)";
      append_json(endpoint->summary_text, out);
      out += '}';
    } else {
      out += fmt::format("{:<7} {:<32} {}\n", to_string(endpoint->method), endpoint->path,
                         endpoint->summary_text);
    }
  }
  fmt::print("{}{}", out, json ? "]\n" : "");
  return exit_ok;
}

int show_openapi(App::Parts& parts) {
  parts.add_routes([] { return std::string(); });
  fmt::print("{}\n", openapi(parts.name, parts.version, parts.router));
  return exit_ok;
}

int code_of(const Error& error) {
  switch (error.code()) {
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::try_again:
    case Errc::unknown_outcome:
      return exit_unavailable;
    case Errc::invalid:
    case Errc::malformed:
      return exit_config;
    default:
      return exit_internal;
  }
}

// Every command reads and checks all settings first, so that a bad one is told by each.
void read_settings(Context& context) {
  context.config = Config::load();
  context.config.read(context.settings);
  for (const auto& target : context.parts.settings) {
    context.config.read(*target.description, target.object);
  }
  check_database_settings(context.config, context.settings);
  check_jobs_settings(context.config, context.settings);
  context.config.check();
  context.parts.jobs_api_token = context.settings.jobs_api_token;
  context.parts.services.provide(context.settings);
  log::configure(*log::level_of(context.settings.log_level),
                 *log::format_of(context.settings.log_format));
}

// Says which commands there are, when the command line names none, or one that there is not.
bool explain_commands(const CLI::App& cli) {
  const CLI::App* group = &cli;
  std::string path = cli.get_name();
  while (!group->get_subcommands().empty()) {
    group = group->get_subcommands().front();
    path += " " + group->get_name();
  }
  std::vector<std::string_view> names;
  for (const CLI::App* command : group->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  const auto words = cli.remaining(true);
  if (names.empty() || (!words.empty() && words.front().starts_with('-'))) return false;
  if (words.empty()) {
    fmt::print(stderr, "{} needs a command.\n", path);
  } else {
    fmt::print(stderr, "{} has no command \"{}\"{}\n", path, words.front(),
               detail::did_you_mean(words.front(), names));
  }
  fmt::print(stderr, "Commands: {}\n", fmt::join(names, ", "));
  return true;
}

}  // namespace

int run_command_line(App::Parts& parts, int argc, char** argv) {
  CLI::App cli{parts.name + " " + parts.version, parts.name};
  cli.set_version_flag("--version", parts.name + " " + parts.version);
  cli.require_subcommand(1);
  Context context{.parts = parts};
  std::function<int()> command;
  const auto add = [&](CLI::App& to, std::string name, std::string help, std::function<int()> run) {
    auto* sub = to.add_subcommand(std::move(name), std::move(help));
    sub->callback([&command, run = std::move(run)] { command = run; });
    return sub;
  };

  const auto run_server = [&](bool upgrade, bool everything) {
    return serve(parts, context.settings,
                 {.next_free_port = !context.config.has("PORT"),
                  .everything = everything,
                  .upgrade = upgrade,
                  .with_database = context.config.has("DATABASE_URL")});
  };
  bool migrate = false;
  add(cli, "serve", "Run everything in this process", [&] {
    return run_server(migrate || context.settings.app_env != "production", true);
  })->add_flag("--migrate", migrate, "Apply pending migrations, in production as well");
  add(cli, "api", "Run the HTTP service", [&] { return run_server(false, false); });
  WorkerFlags worker_flags;
  auto* worker = add(cli, "worker", "Run jobs", [&] {
    apply(worker_flags, context.settings);
    return run_worker(parts, context.settings);
  });
  worker->add_option("--queues", worker_flags.queues, "Such as default,mail:5 (WORKER_QUEUES)");
  worker
      ->add_option("--concurrency", worker_flags.concurrency, "Jobs at a time (WORKER_CONCURRENCY)")
      ->check(CLI::Range(1, 65535));

  add(cli, "scheduler", "Fire schedules", [&] { return run_scheduler(parts, context.settings); });

  HealthOptions health_options;
  auto* health_command = add(cli, "health", "Ask the running service how it is",
                             [&] { return health(context, health_options); });
  health_command->add_flag("--detailed", health_options.detailed, "Every component");
  health_command->add_flag("--json", health_options.json, "For programs");
  health_command->add_subcommand("probe", "Only the exit code: 0 healthy, 1 not")->callback([&] {
    health_options.probe = true;
  });

  auto* database = cli.add_subcommand("db", "Work on the database")->require_subcommand(1);
  add(*database, "create", "Create the tables that do not exist yet",
      [&] { return commands::db_create(parts, context.settings); });
  add(*database, "schema", "Print the SQL that creates the tables",
      [&] { return commands::db_schema(parts, context.settings); });

  commands::NewRevision new_revision;
  auto* revision = add(*database, "revision", "Write a migration: what changed in the models", [&] {
    return commands::db_revision(parts, context.settings, new_revision);
  });
  revision->add_option("-m,--message", new_revision.message, "What it does, in a few words")
      ->required();
  revision->add_option("--rename", new_revision.renames,
                       "table.old:new or old:new: not dropped and new, but renamed");
  revision->add_option("--fill", new_revision.fills,
                       "table.column=value: what existing rows get in a new column");
  revision->add_flag("--allow-destructive", new_revision.allow_destructive,
                     "Drop tables and columns, narrow types");
  revision->add_flag("--empty", new_revision.empty, "For SQL of your own");

  std::string to;
  add(*database, "upgrade", "Apply the migrations that are pending", [&] {
    return commands::db_upgrade(context.settings, to);
  })->add_option("--to", to, "Up to this one");
  add(cli, "migrate", "The same as db upgrade",
      [&] { return commands::db_upgrade(context.settings, to); });
  bool allow_destructive = false;
  auto* downgrade = add(*database, "downgrade", "Take back the newest migration", [&] {
    return commands::db_downgrade(context.settings, to, allow_destructive);
  });
  downgrade->add_option("--to", to, "All after this one; 0: all");
  downgrade->add_flag("--allow-destructive", allow_destructive, "Though data is lost");
  add(*database, "status", "Print which migration the database is at",
      [&] { return commands::db_status(context.settings); });
  add(*database, "history", "List the migrations, and when each was applied",
      [&] { return commands::db_history(context.settings); });
  add(*database, "check", "Compare models, migrations and database; exit code 1 if they differ",
      [&] { return commands::db_check(parts, context.settings); });
  auto* shell = add(*database, "shell", "Run sqlite3 or psql on the database", [&] {
    return commands::db_shell(context.settings, database->get_subcommand("shell")->remaining());
  });
  shell->prefix_command();

  jobs::JobFilter jobs_chosen;
  bool jobs_as_json = false;
  auto* jobs_command = cli.add_subcommand("jobs", "Look after jobs")->require_subcommand(1);
  const auto choose = [&](CLI::App* to) {
    to->add_option("id", jobs_chosen.id, "One job");
    to->add_option("--state", jobs_chosen.state, "available, scheduled, running, dead, ...")
        ->check(CLI::IsMember({"available", "scheduled", "retryable", "blocked", "running",
                               "completed", "cancelled", "dead"}));
    to->add_option("--kind", jobs_chosen.kind, "Such as InscribeRunes");
    to->add_option("--queue", jobs_chosen.queue, "Of this queue");
    to->add_option("--tag", jobs_chosen.tag, "With this tag");
  };
  std::int64_t most = 50;
  auto* list = add(*jobs_command, "list", "List jobs, the newest first", [&] {
    return commands::jobs_list(context.settings, jobs_chosen, most, jobs_as_json);
  });
  choose(list);
  list->add_option("--limit", most, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  list->add_flag("--json", jobs_as_json, "For programs");
  auto* show = add(*jobs_command, "show", "Show a job and what it logged", [&] {
    return commands::jobs_show(context.settings, *jobs_chosen.id, jobs_as_json);
  });
  show->add_option("id", jobs_chosen.id, "The job")->required();
  show->add_flag("--json", jobs_as_json, "For programs");
  std::optional<jobs::When> jobs_when;
  const auto change = [&](std::string name, std::string help, jobs::JobAction action) {
    auto* command = add(*jobs_command, std::move(name), std::move(help), [&, action] {
      if (jobs_chosen.everything()) {
        fmt::print(stderr, "Which jobs? Name an id, or --state, --kind, --queue or --tag.\n");
        return int{exit_usage};
      }
      if (action == jobs::JobAction::reschedule && !jobs_when) {
        fmt::print(stderr, "When? Name a moment, --at, or a while from now, --in.\n");
        return int{exit_usage};
      }
      return commands::jobs_change(context.settings, action, jobs_chosen,
                                   jobs_when.value_or(jobs::When()));
    });
    choose(command);
    return command;
  };
  change("retry", "Run jobs again that failed, wait or are finished", jobs::JobAction::retry);
  change("cancel", "Cancel jobs that wait or run", jobs::JobAction::cancel);
  change("delete", "Delete jobs that do not run", jobs::JobAction::erase);
  auto* reschedule =
      change("reschedule", "Give jobs that wait another time", jobs::JobAction::reschedule);
  auto* moment = reschedule->add_option_group("when")->require_option(0, 1);
  moment
      ->add_option_function<std::string>(
          "--at",
          [&](const std::string& text) {
            jobs_when = {.at = parse_timestamp(text)};
            if (!jobs_when->at) throw CLI::ValidationError("--at", "no moment: " + text);
          },
          "A moment, such as 2026-11-21T03:00:00Z")
      ->type_name("TIME");
  moment
      ->add_option_function<std::string>(
          "--in",
          [&](const std::string& text) {
            jobs_when.emplace();
            const auto trouble = detail::read_duration(text, jobs_when->delay);
            if (!trouble.empty()) throw CLI::ValidationError("--in", trouble);
          },
          "From now, such as 10m")
      ->type_name("DURATION");
  add(*jobs_command, "stats", "Workers, and what waits in each queue", [&] {
    return commands::jobs_stats(context.settings, jobs_as_json);
  })->add_flag("--json", jobs_as_json, "For programs");

  std::string queue;
  auto* queues = cli.add_subcommand("queues", "Look after queues")->require_subcommand(1);
  add(*queues, "list", "List the queues that have jobs or are paused", [&] {
    return commands::queues_list(context.settings, jobs_as_json);
  })->add_flag("--json", jobs_as_json, "For programs");
  add(*queues, "pause", "Start no more jobs of a queue",
      [&] { return commands::queues_pause(context.settings, queue, true); })
      ->add_option("queue", queue, "Its name")
      ->required();
  add(*queues, "resume", "Start the jobs of a queue again",
      [&] { return commands::queues_pause(context.settings, queue, false); })
      ->add_option("queue", queue, "Its name")
      ->required();

  bool schedules_as_json = false;
  std::string schedule;
  std::optional<std::string> one_schedule;
  int slots = 10;
  auto* schedules = cli.add_subcommand("schedules", "Look after schedules")->require_subcommand(1);
  const auto for_programs = [&](CLI::App* to) {
    to->add_flag("--json", schedules_as_json, "For programs");
    return to;
  };
  const auto named = [&](CLI::App* to) {
    to->add_option("name", schedule, "Its name")->required();
    return to;
  };
  for_programs(add(*schedules, "list", "List the schedules, by name",
                   [&] { return commands::schedules_list(context.settings, schedules_as_json); }));
  for_programs(named(add(*schedules, "show", "Show a schedule and its last runs", [&] {
    return commands::schedules_show(context.settings, schedule, schedules_as_json);
  })));
  auto* next = for_programs(add(*schedules, "next", "The next slots, of all or of one", [&] {
    return commands::schedules_next(context.settings, one_schedule, slots, schedules_as_json);
  }));
  next->add_option("count", slots, "How many")->check(CLI::Range(1, 1000))->capture_default_str();
  next->add_option("--schedule", one_schedule, "Of this one");
  auto* history = for_programs(add(*schedules, "history", "Runs, the newest first", [&] {
    return commands::schedules_history(context.settings, one_schedule, most, schedules_as_json);
  }));
  history->add_option("name", one_schedule, "Of this one");
  history->add_option("--limit", most, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  named(add(*schedules, "run", "Run it now, besides its slots",
            [&] { return commands::schedules_run(parts, context.settings, schedule); }));
  named(add(*schedules, "pause", "Let its slots pass",
            [&] { return commands::schedules_pause(context.settings, schedule, true); }));
  named(add(*schedules, "resume", "Fire it again",
            [&] { return commands::schedules_pause(context.settings, schedule, false); }));
  ScheduleSpec spec;
  auto* create = add(*schedules, "create", "Create a schedule",
                     [&] { return commands::schedules_create(parts, context.settings, spec); });
  create->add_option("name", spec.name, "Its name")->required();
  create->add_option("kind", spec.kind, "Of its jobs, such as PolishShields")->required();
  create
      ->add_option(
          "timing", spec.timing,
          "\"0 3 * * *\", \"every 90s\", \"every 90s from start\", \"at 2026-12-24 18:00\"")
      ->required();
  create->add_option("--arguments", spec.arguments, "Of its jobs, as JSON");
  create->add_option("--zone", spec.zone, "Such as Europe/Berlin")->capture_default_str();
  create->add_option("--catch-up", spec.catch_up, "What becomes of missed slots")
      ->check(CLI::IsMember({"skip", "once", "all"}))
      ->capture_default_str();
  create->add_option("--catch-up-most", spec.catch_up_most, "Of all, at most the last so many")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  create->add_option("--overlap", spec.overlap, "While the job of the slot before is not finished")
      ->check(CLI::IsMember({"allow", "skip", "queue"}))
      ->capture_default_str();
  create
      ->add_option_function<std::string>(
          "--jitter",
          [&](const std::string& text) {
            const auto trouble = detail::read_duration(text, spec.jitter);
            if (!trouble.empty()) throw CLI::ValidationError("--jitter", trouble);
          },
          "Each slot is later by up to so much, such as 30s")
      ->type_name("DURATION");
  const auto moment_option = [&](const char* option, std::optional<Timestamp>& to,
                                 const char* description) {
    create
        ->add_option_function<std::string>(
            option,
            [&to, option](const std::string& text) {
              to = parse_timestamp(text);
              if (!to) throw CLI::ValidationError(option, "no moment: " + text);
            },
            description)
        ->type_name("TIME");
  };
  moment_option("--starts", spec.starts_at, "No slot is before, such as 2026-12-01T00:00:00Z");
  moment_option("--ends", spec.ends_at, "No slot is after");
  named(add(*schedules, "delete", "Delete a schedule that was created so",
            [&] { return commands::schedules_delete(context.settings, schedule); }));

  bool routes_as_json = false;
  add(cli, "routes", "List the routes", [&] {
    return show_routes(parts, routes_as_json);
  })->add_flag("--json", routes_as_json, "For programs");
  add(cli, "openapi", "Print the OpenAPI document", [&] { return show_openapi(parts); });
  add(cli, "config", "Print every setting, its value and where it comes from", [&] {
    fmt::print("{}", context.config.describe());
    return exit_ok;
  });

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool about_commands = dynamic_cast<const CLI::ExtrasError*>(&error) ||
                                dynamic_cast<const CLI::RequiredError*>(&error);
    if (about_commands && explain_commands(cli)) return exit_usage;
    return cli.exit(error) == 0 ? exit_ok : exit_usage;
  }
  try {
    parts.declare_schedules();
    read_settings(context);
    return command();
  } catch (const ConfigError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return exit_config;
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", parts.name, error.what());
    return code_of(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", parts.name, error.what());
    return exit_internal;
  }
}

}  // namespace aegis
