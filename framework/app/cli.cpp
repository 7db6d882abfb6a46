#include "app/cli.h"

#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "aegis/core/config.h"
#include "aegis/core/json.h"
#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "app/database_settings.h"
#include "app/health_client.h"
#include "app/serve.h"
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
int tries(const Context& context) { return context.config.has("PORT") ? 1 : ports_to_try; }

// The service of this name: at PORT, or at a later port when `serve` had to move on.
std::optional<HealthAnswer> find_service(const Context& context, const std::string& target) {
  const std::string& host = context.settings.host;
  const std::string here = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host;
  for (int i = 0; i < tries(context); ++i) {
    const auto port = static_cast<std::uint16_t>(context.settings.port + i);
    auto answer = ask_health(here, port, target, 10s);
    if (!answer) continue;
    const auto report = read_health(answer->json);
    if (report && report->service == context.parts.name) return answer;
  }
  return std::nullopt;
}

int health(const Context& context, const HealthOptions& options) {
  const bool brief = options.probe || (options.json && !options.detailed);
  const auto answer = find_service(context, brief ? "/health" : "/health/detailed");
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

// Runs one piece of work on the database and ends.
int with_database(const Context& context, const std::function<awaitable<void>(Database&)>& work) {
  Runtime runtime({.threads = 1});
  Database database(runtime, database_options(context.settings));
  std::exception_ptr failure;
  auto run = [&]() -> awaitable<void> {
    try {
      co_await work(database);
    } catch (...) {
      failure = std::current_exception();
    }
    runtime.shutdown();
  };
  runtime.on_stop("database", [&] { return database.close(); });
  runtime.spawn(0, run(), "command");
  const int code = runtime.run();
  if (failure) std::rethrow_exception(failure);
  return code;
}

int create_tables(const Context& context) {
  const int code = with_database(context, [&](Database& database) {
    return database.create_all(context.parts.tables);
  });
  fmt::print("{} tables are in {}\n", context.parts.tables.size(),
             mask_url_password(context.settings.database_url));
  return code;
}

int show_schema(const Context& context) {
  Runtime runtime({.threads = 1, .handle_signals = false});
  const Database database(runtime, database_options(context.settings));
  fmt::print("{}", database.schema(context.parts.tables));
  return exit_ok;
}

int code_of(const Error& error) {
  switch (error.code()) {
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::try_again:
    case Errc::unknown_outcome: return exit_unavailable;
    case Errc::invalid:
    case Errc::malformed: return exit_config;
    default: return exit_internal;
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
  context.config.check();
  log::configure(*log::level_of(context.settings.log_level),
                 *log::format_of(context.settings.log_format));
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

  const auto run_server = [&] { return serve(parts, context.settings, !context.config.has("PORT")); };
  add(cli, "serve", "Run everything in this process", run_server);
  add(cli, "api", "Run the HTTP service", run_server);

  HealthOptions health_options;
  auto* health_command = add(cli, "health", "Ask the running service how it is",
                             [&] { return health(context, health_options); });
  health_command->add_flag("--detailed", health_options.detailed, "Every component");
  health_command->add_flag("--json", health_options.json, "For programs");
  health_command->add_subcommand("probe", "Only the exit code: 0 healthy, 1 not")
      ->callback([&] { health_options.probe = true; });

  auto* database = cli.add_subcommand("db", "Work on the database")->require_subcommand(1);
  add(*database, "create", "Create the tables that do not exist yet",
      [&] { return create_tables(context); });
  add(*database, "schema", "Print the SQL that creates the tables",
      [&] { return show_schema(context); });

  bool routes_as_json = false;
  add(cli, "routes", "List the routes", [&] { return show_routes(parts, routes_as_json); })
      ->add_flag("--json", routes_as_json, "For programs");
  add(cli, "openapi", "Print the OpenAPI document", [&] { return show_openapi(parts); });
  add(cli, "config", "Print every setting, its value and where it comes from", [&] {
    fmt::print("{}", context.config.describe());
    return exit_ok;
  });

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? exit_ok : exit_usage;
  }
  try {
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
