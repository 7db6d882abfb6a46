#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/core/error.h"
#include "aegis/core/settings.h"

namespace aegis {

/// Every setting that is wrong, in one message: its key, its value unless it is secret, what is
/// allowed, and where it comes from. A process that gets one exits with code 78 (EX_CONFIG).
class ConfigError : public Error {
 public:
  explicit ConfigError(std::vector<std::string> problems);
  /// One line each.
  const std::vector<std::string>& problems() const noexcept { return problems_; }

 private:
  std::vector<std::string> problems_;
};

/// Settings from the environment and, for keys that are not there, from a .env file.
///
///     Config config = Config::load();
///     Settings settings;
///     config.read(settings);            // as often as there are structs of settings
///     config.check();                   // throws what was wrong, all at once
class Config {
 public:
  /// Nothing is set: every field keeps its default.
  Config() = default;
  /// From a given environment and the text of a file of that name.
  explicit Config(std::map<std::string, std::string> environment, std::string_view dotenv = "",
                  std::string_view file = ".env");
  /// From the environment of this process, and .env where it exists; ENV_FILE names another file,
  /// which then must exist.
  static Config load();

  /// Fills a struct with AEGIS_FIELDS: the field `port` from the key PORT, or, with the prefix
  /// "MAIL_", from MAIL_PORT. A field whose key is absent or bad keeps its value.
  template <Described T>
  void read(T& settings, std::string_view prefix = "") {
    read(aegis::describe<T>(), &settings, prefix);
  }
  void read(const Object& description, void* settings, std::string_view prefix = "");

  /// Adds what else is wrong with the value of a key that was read.
  void reject(std::string_view key, std::string_view message);

  /// Throws ConfigError if any key was bad. Logs a warning for keys in the file that no struct
  /// has but that look like one of theirs.
  void check() const;

  /// Whether the key is set, in the environment or in the file.
  bool has(std::string_view key) const;

  /// What was read: each key, its value (secrets masked) and where it comes from. For people.
  std::string describe() const;

 private:
  struct Setting {
    std::string value;
    std::string origin;  // "environment" or ".env:3"
  };
  struct Row {
    std::string key, value, origin;  // the value as it may be shown
  };

  std::map<std::string, Setting, std::less<>> settings_;
  std::vector<std::string> problems_;
  std::vector<std::string> warnings_;
  std::vector<Row> rows_;
};

/// The text of an .env.example for a struct of settings: each key with its default, commented out,
/// below the sentence of its doc().
std::string env_example(const Object& description, std::string_view prefix = "");

/// A URL without its password: `postgresql://aegis:***@db/app`. In doubt, such as with a password
/// that is not percent-encoded, it hides too much rather than too little.
std::string mask_url_password(std::string_view url);

}  // namespace aegis
