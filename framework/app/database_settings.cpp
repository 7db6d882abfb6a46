#include "app/database_settings.h"

#include <boost/json.hpp>
#include <map>
#include <optional>

#include "db/driver.h"

namespace aegis {
namespace {

using Args = std::map<std::string, std::string>;

// {"foreign_keys": 1, "synchronous": "FULL"}: each value as text. Nothing when it is no object.
std::optional<Args> connect_args(const std::string& text) {
  boost::system::error_code bad;
  const boost::json::value parsed = boost::json::parse(text, bad);
  if (bad || !parsed.is_object()) return std::nullopt;
  Args args;
  for (const auto& [key, value] : parsed.get_object()) {
    args[key] = value.is_string() ? std::string(value.get_string()) : serialize(value);
  }
  return args;
}

constexpr const char* not_an_object = R"(it must be a JSON object, such as {"foreign_keys": 1})";

}  // namespace

DatabaseOptions database_options(const Settings& settings) {
  auto args = connect_args(settings.database_connect_args);
  if (!args) throw Error(Errc::invalid, std::string("DATABASE_CONNECT_ARGS: ") + not_an_object);
  return {.url = settings.database_url,
          .read_url = settings.database_read_url,
          .connect_args = std::move(*args),
          .echo = settings.database_engine_echo,
          .slow_transaction = settings.database_slow_transaction};
}

void check_database_settings(Config& config, const Settings& settings) {
  const auto check = [&](std::string_view key, std::string read_url, Args args) {
    try {
      db::check_options({.url = settings.database_url,
                         .read_url = std::move(read_url),
                         .connect_args = std::move(args)});
      return true;
    } catch (const Error& error) {
      config.reject(key, error.what());
      return false;
    }
  };
  auto args = connect_args(settings.database_connect_args);
  if (!args) config.reject("DATABASE_CONNECT_ARGS", not_an_object);
  if (!check("DATABASE_URL", "", {})) return;
  if (args) check("DATABASE_CONNECT_ARGS", "", std::move(*args));
  check("DATABASE_READ_URL", settings.database_read_url, {});
}

}  // namespace aegis
