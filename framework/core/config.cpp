#include "aegis/core/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <set>
#include <system_error>
#include <utility>

#include "aegis/core/json.h"
#include "aegis/core/log.h"
#include "core/describe/suggest.h"
#include "core/describe/utf8.h"
#include "core/dotenv.h"
#include "core/secret.h"

namespace aegis {
namespace {

// Keys that something else than a struct of settings reads.
constexpr std::array<std::string_view, 2> own_keys = {"ENV_FILE", "TEST_DATABASE_URL"};

std::string key_of(std::string_view prefix, std::string_view field) {
  std::string key(prefix);
  for (const char c : field) key += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return key;
}

bool is_secret(const Field& field, std::string_view key) {
  return field.rules.secret || field.type->secret || names_a_secret(key);
}

// What is pasted where the URL of a database belongs: libpq's keywords, or a password by itself.
bool is_no_url(std::string_view key, std::string_view value) {
  return (key == "DATABASE_URL" || key == "DATABASE_READ_URL") && value.find("://") == value.npos;
}

// A value as people may see it: on one line, without secrets.
std::string shown(std::string_view key, std::string_view value, bool secret) {
  if (secret || is_no_url(key, value)) return value.empty() ? "" : "***";
  std::string quoted;
  append_json(detail::shorten(mask_url_password(value), 200), quoted);
  return quoted.substr(1, quoted.size() - 2);
}

std::string list(const std::vector<std::string>& problems) {
  std::string text = problems.size() == 1 ? "1 setting is wrong:"
                                          : fmt::format("{} settings are wrong:", problems.size());
  for (const std::string& problem : problems) text += "\n  " + problem;
  return text;
}

std::map<std::string, std::string> environment_of_process() {
  std::map<std::string, std::string> environment;
  for (char** entry = ::environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == text.npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

struct FileText {
  std::string text;
  int error = 0;  // of errno
};

FileText read_file(const char* path) {
  FileText result;
  std::FILE* const file = std::fopen(path, "re");
  if (!file) return {"", errno};
  std::array<char, 4096> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file)) {
    result.text.append(buffer.data(), size);
  }
  if (std::ferror(file)) result.error = errno;
  std::fclose(file);
  return result;
}

}  // namespace

ConfigError::ConfigError(std::vector<std::string> problems)
    : Error(Errc::invalid, list(problems)), problems_(std::move(problems)) {}

Config::Config(std::map<std::string, std::string> environment, std::string_view dotenv,
               std::string_view file) {
  const Dotenv parsed = parse_dotenv(dotenv);
  for (const auto& problem : parsed.problems) {
    problems_.push_back(fmt::format("{}:{}: {}", file, problem.line, problem.message));
  }
  for (const auto& [key, value, line] : parsed.entries) {
    const std::string origin = fmt::format("{}:{}", file, line);
    auto [at, added] = settings_.try_emplace(key, Setting{value, origin});
    if (added) continue;
    warnings_.push_back(fmt::format("{} is set again at {}; the last one counts", key, origin));
    at->second = {value, origin};
  }
  for (auto& [key, value] : environment) {
    settings_.insert_or_assign(key, Setting{std::move(value), "environment"});
  }
}

Config Config::load() {
  auto environment = environment_of_process();
  const auto named = environment.find("ENV_FILE");
  const bool must_exist = named != environment.end() && !named->second.empty();
  const std::string file = must_exist ? named->second : ".env";
  const auto [text, error] = read_file(file.c_str());
  Config config(std::move(environment), text, file);
  if (error != 0 && (must_exist || error != ENOENT)) {
    const std::string reason = std::generic_category().message(error);
    config.problems_.push_back(fmt::format("{} cannot be read: {}", file, reason));
  }
  return config;
}

void Config::read(const Object& description, void* settings, std::string_view prefix) {
  for (const Field& field : description.fields) {
    const std::string key = key_of(prefix, field.name);
    const bool secret = is_secret(field, key);
    const auto found = settings_.find(key);
    const bool set = found != settings_.end();
    std::vector<FieldError> errors;
    if (set) {
      std::string wrong = read_text(found->second.value, *field.type, field.of(settings));
      if (wrong.empty()) {
        validate(*field.type, field.rules, field.of(settings), errors, "");
      } else {
        errors.push_back({"", std::move(wrong)});
      }
      for (const FieldError& error : errors) {
        problems_.push_back(fmt::format("{}=\"{}\" {} ({})", key,
                                        shown(key, found->second.value, secret), error.message,
                                        found->second.origin));
      }
    } else if (is_required(description, field)) {
      problems_.push_back(fmt::format("{} is required: set it in the environment or in .env", key));
    }
    rows_.push_back({key, shown(key, write_text(*field.type, field.of(settings)), secret),
                     set ? found->second.origin : "default"});
  }
}

void Config::reject(std::string_view key, std::string_view message) {
  const auto row = std::ranges::find(rows_, key, &Row::key);
  if (row == rows_.end()) throw Error(Errc::internal, fmt::format("{} was not read", key));
  problems_.push_back(fmt::format("{}=\"{}\": {} ({})", key, row->value, message, row->origin));
}

void Config::check() const {
  std::vector<std::string_view> known(own_keys.begin(), own_keys.end());
  std::set<std::string_view> prefixes;
  for (const Row& row : rows_) {
    known.push_back(row.key);
    const std::size_t end = row.key.find('_');
    if (end != row.key.npos) prefixes.insert(std::string_view(row.key).substr(0, end + 1));
  }
  for (const std::string& warning : warnings_) log::warn(warning);
  for (const auto& [key, setting] : settings_) {
    if (setting.origin == "environment" || std::ranges::find(known, key) != known.end()) continue;
    const std::string hint = detail::did_you_mean(key, known);
    const bool alike = prefixes.contains(std::string_view(key).substr(0, key.find('_') + 1));
    if (hint.empty() && !alike) continue;  // some other program's
    log::warn("no such setting: " + key + hint, "at", setting.origin);
  }
  if (!problems_.empty()) throw ConfigError(problems_);
}

bool Config::has(std::string_view key) const {
  return settings_.contains(key);
}

std::string Config::describe() const {
  std::size_t key_width = 0, value_width = 0;
  for (const Row& row : rows_) {
    key_width = std::max(key_width, row.key.size());
    value_width = std::max(value_width, std::min<std::size_t>(row.value.size(), 40));
  }
  std::string text;
  for (const Row& row : rows_) {
    text +=
        fmt::format("{:<{}}  {:<{}}  {}\n", row.key, key_width, row.value, value_width, row.origin);
  }
  return text;
}

std::string env_example(const Object& description, std::string_view prefix) {
  std::string text;
  for (const Field& field : description.fields) {
    const std::string key = key_of(prefix, field.name);
    std::string value = write_text(*field.type, field.of(description.defaults()));
    if (is_secret(field, key)) value.clear();
    const bool plain = value.find_first_of(" \t#'\"\\") == value.npos;
    if (!text.empty()) text += '\n';
    if (!field.rules.doc.empty()) text += fmt::format("# {}\n", field.rules.doc);
    text += fmt::format("# {}={}\n", key, plain ? value : fmt::format("'{}'", value));
  }
  return text;
}

std::string mask_url_password(std::string_view url) {
  std::string masked(url);

  // user:password@ — up to the last @ before the query, since the password may hold one.
  const std::size_t scheme = masked.find("://");
  const std::size_t begin = scheme == masked.npos ? 0 : scheme + 3;
  const std::size_t query = masked.find('?', begin);
  std::size_t at = masked.substr(0, query).rfind('@');
  if (at == masked.npos || at < begin) at = masked.rfind('@');
  const std::size_t colon = masked.find(':', begin);
  if (at != masked.npos && colon != masked.npos && colon < at) {
    const std::size_t slash = masked.find('/', colon);
    const std::string_view port =
        std::string_view(masked).substr(colon + 1, std::min(slash, at) - colon - 1);
    const bool is_port =
        slash < at && !port.empty() && port.find_first_not_of("0123456789") == port.npos;
    if (!is_port) masked.replace(colon + 1, at - colon - 1, "***");
  }

  // ?password=… up to the next &. Blanks show that it is not only a URL but has libpq's
  // "host=… password=…": up to the end then, since a value may be quoted and hold anything.
  constexpr std::string_view blanks = " \t\r\n";
  const bool only_url = scheme != masked.npos && masked.find_first_of(blanks) == masked.npos;
  for (auto equals = masked.find('='); equals != masked.npos;
       equals = masked.find('=', equals + 1)) {
    const std::string_view before = std::string_view(masked).substr(0, equals);
    if (!names_a_secret(before.substr(0, before.find_last_not_of(blanks) + 1))) continue;
    const std::size_t end = only_url ? masked.find('&', equals) : masked.npos;
    masked.replace(equals + 1, std::min(end, masked.size()) - equals - 1, "***");
  }
  return masked;
}

}  // namespace aegis
