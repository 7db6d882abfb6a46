#include "cli/generate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/component.h"
#include "cli/field.h"
#include "cli/files.h"
#include "cli/manifest.h"
#include "cli/naming.h"
#include "cli/process.h"
#include "cli/registration.h"
#include "cli/schedule_part.h"
#include "cli/terminal.h"
#include "core/describe/suggest.h"
#include "embedded/part_templates.h"

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

/// What a kind of part consists of.
struct Kind {
  std::string_view name, statement;
  std::vector<std::string_view> headers;                             // that the statement needs
  std::vector<std::pair<std::string_view, std::string_view>> files;  // a template, and its place
  std::string_view needs = {};                                       // a component
  bool has_fields = true;
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
       .has_fields = false},
      {.name = "model",
       .statement = "app.models<<Type>>();",
       .headers = {"models/<name>.h"},
       .files = {{"model.h", "app/models/<name>.h"}, {"model_test.cpp", "tests/<name>_test.cpp"}},
       .needs = "database",
       .changes_tables = true},
      {.name = "resource",
       .statement = "app.models<<Type>>().routes(<names>);",
       .headers = {"api/<names>.h", "models/<name>.h"},
       .files = {{"model.h", "app/models/<name>.h"},
                 {"resource.h", "app/api/<names>.h"},
                 {"resource.cpp", "app/api/<names>.cpp"},
                 {"resource_test.cpp", "tests/<names>_test.cpp"}},
       .needs = "database",
       .changes_tables = true},
      {.name = "job",
       .statement = "app.jobs<<Type>>();",
       .headers = {"worker/<name>.h"},
       .files = {{"job.h", "app/worker/<name>.h"},
                 {"job.cpp", "app/worker/<name>.cpp"},
                 {"job_test.cpp", "tests/<name>_test.cpp"}},
       .needs = "worker"},
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
    throw UsageError(fmt::format("This is no project: there is no {}", application_registry.file),
                     "Run it in the folder of a project; `aegis init` makes one.");
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

/// `make migration` of the project, which knows its models.
int write_migration(const Name& name, const GenerateOptions& options) {
  std::string message = name.snake;
  std::ranges::replace(message, '_', ' ');
  if (options.dry_run) {
    fmt::print("  make migration MESSAGE=\"{}\"\n", message);
    return 0;
  }
  const auto makefile = read_file("Makefile");
  if (!makefile || makefile->find("\nmigration:") == std::string::npos) {
    throw UsageError("The project's Makefile has no target migration",
                     fmt::format("Run its program instead: db revision -m \"{}\"", message));
  }
  const int code = run({"make", "--no-print-directory", "migration", "MESSAGE=" + message});
  if (code == no_such_program) {
    throw UsageError("make is not installed, which this needs", "apt-get install make");
  }
  return code == 0 ? 0 : 1;
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

void show(const std::vector<Edit>& edits, bool as_json) {
  const auto& registry = edits.back();
  std::string json;
  for (const auto& edit : edits) {
    const bool added = &edit != &registry;
    if (!as_json) fmt::print("  {:<7}  {}\n", added ? "added" : "changed", edit.path);
    json += fmt::format("{}{{\"path\":\"{}\",\"change\":\"{}\"}}", json.empty() ? "" : ",",
                        edit.path, added ? "added" : "changed");
  }
  if (as_json) fmt::print("{{\"files\":[{}]}}\n", json);
}

}  // namespace

std::vector<std::string_view> part_kinds() {
  std::vector<std::string_view> names;
  for (const auto& kind : kinds()) names.push_back(kind.name);
  return names;
}

int generate(const GenerateOptions& options) {
  const Kind& kind = kind_of(options);
  const Name name(options.name);
  check_details(kind, options, name);
  const auto fields = kind.has_fields ? fields_of(options.details) : std::vector<Field>();
  require_project(kind);
  if (kind.name == "migration") return write_migration(name, options);

  Words words(name, fields);
  std::string statement(kind.statement);
  if (kind.name == "schedule") {
    const SchedulePart part(options.details.front());
    statement = part.statement;
    words.add("<gap>", part.longest_gap);
  }
  const auto edits = edits_for(kind, words, statement);
  if (!options.dry_run) {
    apply(edits);
    format({edits.begin(), edits.end() - 1});
  }
  show(edits, options.json);
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
