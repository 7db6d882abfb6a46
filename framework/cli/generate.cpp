#include "cli/generate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "aegis/core/json.h"
#include "cli/component.h"
#include "cli/field.h"
#include "cli/files.h"
#include "cli/manifest.h"
#include "cli/naming.h"
#include "cli/process.h"
#include "cli/registration.h"
#include "cli/schedule_part.h"
#include "cli/terminal.h"
#include "cli/usage_error.h"
#include "core/describe/suggest.h"
#include "embedded/part_templates.h"

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

/// A file of a part.
struct PartFile {
  std::string_view from, to;  // a template, and its place
};

/// What a kind of part consists of.
struct Kind {
  std::string_view name, statement;
  std::vector<std::string_view> headers;  // that the statement needs
  std::vector<PartFile> files;
  std::string_view needs = {};  // a component
  std::string_view route = {};
  bool has_fields = true;
  std::vector<std::string_view> members = {"id"};  // that its type has already
  bool changes_tables = false;
  const Registry* registry = &application_registry;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {.name = "handler",
       .statement = "app.routes(<name>);",
       .headers = {"api/<name>.h"},
       .files = {{"handler.h", "app/api/<name>.h"},
                 {"handler.cpp", "app/api/<name>.cpp"},
                 {"handler_test.cpp", "tests/<name>_test.cpp"}},
       .route = "<name>",
       .has_fields = false},
      {.name = "model",
       .statement = "app.models<<Type>>();",
       .headers = {"models/<name>.h"},
       .files = {{"model.h", "app/models/<name>.h"}, {"model_test.cpp", "tests/<name>_test.cpp"}},
       .needs = "database",
       .members = {"id", "col"},
       .changes_tables = true},
      {.name = "resource",
       .statement = "app.models<<Type>>().routes(<names>);",
       .headers = {"api/<names>.h", "models/<name>.h"},
       .files = {{"model.h", "app/models/<name>.h"},
                 {"resource.h", "app/api/<names>.h"},
                 {"resource.cpp", "app/api/<names>.cpp"},
                 {"resource_test.cpp", "tests/<names>_test.cpp"}},
       .needs = "database",
       .route = "<names>",
       .members = {"id", "col"},
       .changes_tables = true},
      {.name = "job",
       .statement = "app.jobs<<Type>>();",
       .headers = {"worker/<name>.h"},
       .files = {{"job.h", "app/worker/<name>.h"},
                 {"job.cpp", "app/worker/<name>.cpp"},
                 {"job_test.cpp", "tests/<name>_test.cpp"}},
       .needs = "worker",
       .members = {"id", "options", "run"}},
      {.name = "schedule",
       .statement = {},  // SchedulePart's
       .headers = {"worker/<name>.h"},
       .files = {{"job.h", "app/worker/<name>.h"},
                 {"job.cpp", "app/worker/<name>.cpp"},
                 {"job_test.cpp", "tests/<name>_test.cpp"},
                 {"schedule_test.cpp", "tests/<name>_schedule_test.cpp"}},
       .needs = "scheduler",
       .has_fields = false,
       .registry = &schedules_registry},
      {.name = "migration",
       .statement = {},
       .headers = {},
       .files = {},
       .needs = "database",
       .has_fields = false},
  };
  return all;
}

const Kind& kind_of(const GenerateOptions& options) {
  for (const auto& kind : kinds()) {
    if (kind.name == options.kind) return kind;
  }
  const auto known = part_kinds();
  throw UsageError(fmt::format("There is no \"{}\" to generate{}", options.kind,
                               detail::did_you_mean(options.kind, known)),
                   fmt::format("There are: {}.", fmt::join(known, ", ")));
}

/// As the project's .clang-format says, where the tool is installed: lines grow with the names.
void format(const std::vector<Edit>& edits) {
  std::vector<std::string> command{"clang-format-19", "-i"};
  for (const auto& edit : edits) command.push_back(edit.path);
  run_quietly(std::move(command));
}

/// What stands in a template for the part at hand: <Type>, <name> and so on.
class Words {
 public:
  Words(const Name& name, const std::vector<Field>& fields) {
    const std::string& type = name.pascal;
    std::vector<std::string> columns{type, fmt::format("\"{}\"", name.snake), "(id, primary_key)"};
    std::vector<std::string> body{type + "Create"}, listed{type};
    std::string json, copies;
    for (const auto& field : fields) {
      columns.push_back(fmt::format("({}{})", field.name, field.attributes));
      body.push_back(fmt::format("({}{})", field.name, field.optional ? "" : ", required"));
      listed.push_back(fmt::format("({})", field.name));
      json += fmt::format("{}\"{}\":{}", json.empty() ? "" : ",", field.name, field.example);
      copies += fmt::format("  {}.{} = in->{};\n", name.snake, field.name, field.name);
    }
    words_ = {
        {"<Type>", type},
        {"<name>", name.snake},
        {"<names>", name.plural},
        {"<kebab>", name.kebab()},
        {"<members>\n", members_of(fields)},
        {"<columns>", wrapped("  AEGIS_TABLE(", columns)},
        {"<body>", wrapped("  AEGIS_FIELDS(", body)},
        {"<fields>", wrapped("  AEGIS_FIELDS(", listed)},
        {"<json>", fmt::format("R\"({{{}}})\"", json)},
        {"<copies>\n", copies},
    };
  }

  void add(std::string word, std::string with) { words_[std::move(word)] = std::move(with); }

  std::string put_into(std::string_view text) const {
    std::string out(text);
    for (const auto& [word, with] : words_) {
      for (auto at = out.find(word); at != out.npos; at = out.find(word, at + with.size())) {
        out.replace(at, word.size(), with);
      }
    }
    return out;
  }

 private:
  std::map<std::string, std::string> words_{};
};

std::string_view template_of(std::string_view name) {
  for (const auto& file : embedded::part_templates()) {
    if (file.name == fmt::format("{}.in", name)) return file.content;
  }
  throw std::logic_error(fmt::format("there is no template {}", name));
}

/// Throws UsageError unless the current folder is a project that has what the kind needs.
void require_project(const Kind& kind) {
  if (!fs::exists(application_registry.file)) {
    throw no_project(application_registry.file);
  }
  if (kind.needs.empty() || !fs::exists(Manifest::file)) return;
  if (Choice::of(Manifest::read().components).has(kind.needs)) return;
  throw UsageError(fmt::format("A {} needs the component {}", kind.name, kind.needs),
                   fmt::format("aegis add {}", kind.needs));
}

/// Throws UsageError for details that the kind does not take.
void check_details(const Kind& kind, const GenerateOptions& options, const Name& name) {
  const auto& details = options.details;
  if (kind.name == "schedule") {
    if (details.size() == 1) return;
    throw UsageError(
        "A schedule needs one timing, in quotes",
        fmt::format("Such as: aegis generate schedule {} \"0 3 * * *\"", name.kebab()));
  }
  if (kind.changes_tables && details.empty()) {
    throw UsageError(
        fmt::format("A {} needs fields", kind.name),
        fmt::format("Such as: aegis generate {} {} title:text", kind.name, name.snake));
  }
  if (!kind.has_fields && !details.empty()) {
    throw UsageError(fmt::format("A {} has no fields", kind.name), "A resource has them.");
  }
}

/// The files of the project's migrations, and when they were written.
std::map<std::string, fs::file_time_type> migration_files() {
  std::map<std::string, fs::file_time_type> files;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator("migrations", none)) {
    if (entry.is_regular_file()) files.emplace(entry.path().string(), entry.last_write_time());
  }
  return files;
}

/// A file, and "added" or "changed".
struct Written {
  std::string path{}, change{};

  AEGIS_FIELDS(Written, (path), (change))
};

/// For programs.
struct Report {
  bool written = false;
  std::vector<Written> files{};

  AEGIS_FIELDS(Report, (written), (files))
};

void print_json(std::vector<Written> files, bool written) {
  fmt::print("{}\n", to_json(Report{.written = written, .files = std::move(files)}));
}

/// "add user_id" as it is; a single word for a name: "create-note".
std::string message_of(const std::string& text) {
  if (text.find_first_not_of(" _-") == text.npos) {
    throw UsageError("A migration needs a few words that say what it does",
                     "Such as: aegis generate migration \"create note\"");
  }
  std::string message = text;
  if (message.find(' ') == message.npos) {
    std::ranges::replace_if(message, [](char c) { return c == '_' || c == '-'; }, ' ');
  }
  return message;
}

/// `make migration` of the project, which knows its models.
int write_migration(const Kind& kind, const GenerateOptions& options) {
  const std::string message = message_of(options.name);
  if (!options.details.empty()) {
    throw UsageError(fmt::format("\"{}\" is one word too many", options.details.front()),
                     "What a migration does goes into quotes.");
  }
  require_project(kind);
  if (options.dry_run) {
    if (options.json) {
      print_json({}, false);
    } else {
      fmt::print("  make migration MESSAGE=\"{}\"\n", message);
    }
    return 0;
  }
  const auto makefile = read_file("Makefile");
  if (!makefile || makefile->find("\nmigration:") == std::string::npos) {
    throw UsageError("The project's Makefile has no target migration",
                     fmt::format("Run its program instead: db revision -m \"{}\"", message));
  }
  std::string for_make = "MESSAGE=";  // in which a $ is written $$
  for (const char c : message) for_make += c == '$' ? "$$" : std::string(1, c);
  std::vector<std::string> command{"make", "--no-print-directory", "migration", for_make};
  if (options.json) {  // stdout is for the JSON
    command.insert(command.begin(), {"sh", "-c", "exec \"$@\" >&2", "sh"});
  }
  const auto before = migration_files();
  const int code = run(std::move(command));
  if (code == no_such_program) {
    throw UsageError("make is not installed, which this needs", "apt-get install make");
  }
  if (code != 0) return 1;
  if (options.json) {
    std::vector<Written> files;
    for (const auto& [path, time] : migration_files()) {
      const auto known = before.find(path);
      if (known == before.end() || known->second != time) {
        files.push_back({path, known == before.end() ? "added" : "changed"});
      }
    }
    print_json(std::move(files), true);
  }
  return 0;
}

/// Throws UsageError where the part would take a route of Aegis's own, or a type of the project's.
void check_free(const Kind& kind, const Words& words) {
  constexpr std::string_view routes[] = {"docs",   "health", "jobs",     "livez",
                                         "queues", "readyz", "schedules"};
  const std::string route = words.put_into(kind.route);
  if (std::ranges::find(routes, route) != std::end(routes)) {
    throw UsageError(fmt::format("/{} is a route of Aegis's own", route), "Choose another name.");
  }
  constexpr std::string_view types[] = {"app/models/<name>.h", "app/worker/<name>.h"};
  const auto is_own = [&](std::string_view path) {
    return std::ranges::find(kind.files, path, &PartFile::to) != kind.files.end();
  };
  if (std::ranges::none_of(types, is_own)) return;
  for (const auto type : types) {
    const std::string path = words.put_into(type);
    if (is_own(type) || !fs::exists(path)) continue;
    throw UsageError(fmt::format("{} has a {} already", path, words.put_into("<Type>")),
                     "Choose another name.");
  }
}

/// The files to be written, the registry last. Throws UsageError.
std::vector<Edit> edits_for(const Kind& kind, const Words& words, std::string_view statement) {
  std::vector<Edit> edits;
  const bool has_job = kind.name == "schedule" && fs::exists(words.put_into("app/worker/<name>.h"));
  for (const auto& [from, to] : kind.files) {
    const bool is_job = from.starts_with("job");
    if (has_job && is_job) continue;  // it is the one to be scheduled
    if (words.put_into("<gap>").empty() && from == "schedule_test.cpp") continue;
    std::string path = words.put_into(to);
    if (fs::exists(path)) {
      throw UsageError(fmt::format("{} exists already", path), "Choose another name.");
    }
    edits.push_back({.path = std::move(path), .content = words.put_into(template_of(from))});
  }
  std::vector<std::string> headers;
  for (const auto header : kind.headers) headers.push_back(words.put_into(header));
  const std::string file(kind.registry->file);
  edits.push_back({.path = file,
                   .content = register_part(*kind.registry, read_file(file).value_or(""), headers,
                                            words.put_into(statement))});
  return edits;
}

void show(const std::vector<Edit>& edits, const GenerateOptions& options) {
  std::vector<Written> files;
  for (const auto& edit : edits) {
    files.push_back({edit.path, &edit == &edits.back() ? "changed" : "added"});
  }
  if (options.json) return print_json(std::move(files), !options.dry_run);
  for (const auto& [path, change] : files) fmt::print("  {:<7}  {}\n", change, path);
}

}  // namespace

std::vector<std::string_view> part_kinds() {
  std::vector<std::string_view> names;
  for (const auto& kind : kinds()) names.push_back(kind.name);
  return names;
}

int generate(const GenerateOptions& options) {
  const Kind& kind = kind_of(options);
  if (kind.name == "migration") return write_migration(kind, options);
  const Name name(options.name);
  check_part_name(name);
  check_details(kind, options, name);
  const auto fields =
      kind.has_fields ? fields_of(options.details, kind.members) : std::vector<Field>();
  require_project(kind);

  Words words(name, fields);
  std::string statement(kind.statement);
  if (kind.name == "schedule") {
    const SchedulePart part(options.details.front());
    statement = part.statement;
    words.add("<gap>", part.longest_gap);
  }
  check_free(kind, words);
  const auto edits = edits_for(kind, words, statement);
  if (!options.dry_run) {
    apply(edits);
    format({edits.begin(), edits.end() - 1});
  }
  show(edits, options);
  if (options.json) return 0;
  if (options.dry_run) {
    fmt::print("Nothing is written: this was a dry run.\n");
    return 0;
  }
  fmt::print("\n{}\n", bold("Next"));
  if (kind.changes_tables) fmt::print("  make migration MESSAGE=\"create {}\"\n", name.snake);
  fmt::print("  make test\n");
  return 0;
}

}  // namespace aegis::cli
