#include "cli/generate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "cli/component.h"
#include "cli/field.h"
#include "cli/naming.h"
#include "cli/process.h"
#include "cli/registration.h"
#include "cli/terminal.h"
#include "core/describe/suggest.h"
#include "embedded/part_templates.h"

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* application = "app/application.cpp";

/// What a kind of part consists of.
struct Kind {
  std::string_view name, statement;
  std::vector<std::string_view> headers;                             // that the statement needs
  std::vector<std::pair<std::string_view, std::string_view>> files;  // a template, and its place
  bool has_fields = true;
  bool changes_tables = false;
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
       .changes_tables = true},
      {.name = "resource",
       .statement = "app.models<<Type>>().routes(<names>);",
       .headers = {"api/<names>.h", "models/<name>.h"},
       .files = {{"model.h", "app/models/<name>.h"},
                 {"resource.h", "app/api/<names>.h"},
                 {"resource.cpp", "app/api/<names>.cpp"},
                 {"resource_test.cpp", "tests/<names>_test.cpp"}},
       .changes_tables = true},
      {.name = "job",
       .statement = "app.jobs<<Type>>();",
       .headers = {"worker/<name>.h"},
       .files = {{"job.h", "app/worker/<name>.h"},
                 {"job.cpp", "app/worker/<name>.cpp"},
                 {"job_test.cpp", "tests/<name>_test.cpp"}}},
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

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

void write(const fs::path& path, const std::string& text) {
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  const fs::path draft = fs::path(path) += ".new";
  std::ofstream out(draft, std::ios::binary);
  out << text;
  out.close();
  if (!out) {
    throw fs::filesystem_error("cannot write", path, std::make_error_code(std::errc::io_error));
  }
  fs::rename(draft, path);
}

/// As the project's .clang-format says, where the tool is installed: lines grow with the names.
void format(const std::vector<std::pair<std::string, std::string>>& files) {
  std::vector<std::string> command{"clang-format-19", "-i"};
  for (const auto& [path, text] : files) command.push_back(path);
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
        {"<members>\n", members_of(fields)},
        {"<columns>", wrapped("  AEGIS_TABLE(", columns)},
        {"<body>", wrapped("  AEGIS_FIELDS(", body)},
        {"<fields>", wrapped("  AEGIS_FIELDS(", listed)},
        {"<json>", fmt::format("R\"({{{}}})\"", json)},
        {"<copies>\n", copies},
    };
  }

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

}  // namespace

std::vector<std::string_view> part_kinds() {
  std::vector<std::string_view> names;
  for (const auto& kind : kinds()) names.push_back(kind.name);
  return names;
}

int generate(const GenerateOptions& options) {
  const Kind& kind = kind_of(options);
  const Name name(options.name);
  const auto fields = fields_of(options.fields);
  if (kind.has_fields && kind.name != "job" && fields.empty()) {
    throw UsageError(
        fmt::format("A {} needs fields", kind.name),
        fmt::format("Such as: aegis generate {} {} title:text", kind.name, name.snake));
  }
  if (!kind.has_fields && !fields.empty()) {
    throw UsageError(fmt::format("A {} has no fields", kind.name), "A resource has them.");
  }
  if (!fs::exists(application)) {
    throw UsageError(fmt::format("This is no project: there is no {}", application),
                     "Run it in the folder of a project; `aegis init` makes one.");
  }
  const Words words(name, fields);
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& [from, to] : kind.files) {
    std::string path = words.put_into(to);
    if (fs::exists(path)) {
      throw UsageError(fmt::format("{} exists already", path), "Choose another name.");
    }
    files.emplace_back(std::move(path), words.put_into(template_of(from)));
  }
  std::vector<std::string> headers;
  for (const auto header : kind.headers) headers.push_back(words.put_into(header));
  const std::string registered =
      register_part(read(application), headers, words.put_into(kind.statement));
  for (const auto& [path, text] : files) {
    if (!options.dry_run) write(path, text);
    fmt::print("  added    {}\n", path);
  }
  if (!options.dry_run) {
    write(application, registered);
    format(files);
  }
  fmt::print("  changed  {}\n", application);
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
