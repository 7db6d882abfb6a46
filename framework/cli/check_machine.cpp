// `aegis doctor`: what a project runs on.
#include <fmt/format.h>
#include <langinfo.h>
#include <libpq-fe.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <system_error>

#include "aegis/core/config.h"
#include "aegis/core/log.h"
#include "aegis/schedule/zone.h"
#include "app/database_settings.h"
#include "cli/finding.h"
#include "cli/listen.h"
#include "db/postgres/config.h"
#include "db/sqlite/config.h"

namespace aegis::cli {

namespace fs = std::filesystem;

namespace {

struct Known {
  Config config{};
  Settings settings{};
};

Finding check_settings(Known& known) {
  log::configure(log::Level::off);  // what check() has to warn of, the program says as well
  try {
    known.config = Config::load();
    known.config.read(known.settings);
    check_database_settings(known.config, known.settings);
    known.config.check();
  } catch (const Error& error) {
    return {"settings", Verdict::problem, error.what(), "edit .env"};
  }
  if (in_project() && !fs::exists(".env")) {
    return {"settings", Verdict::warning, "there is no .env: all have their defaults",
            "cp .env.example .env"};
  }
  return {"settings", Verdict::ok, "can all be read"};
}

Finding check_port(const Known& known) {
  const auto& [host, port] = std::pair(known.settings.host, known.settings.port);
  try {
    listen_on(host, port);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::address_in_use) {
      return {"port", Verdict::problem, error.what(), "set HOST and PORT in .env"};
    }
    const bool chosen = known.config.has("PORT");
    return {"port", chosen ? Verdict::problem : Verdict::warning,
            fmt::format("{}:{} is in use{}", host, port,
                        chosen ? "" : "; `serve` takes the next one that is free"),
            fmt::format("ss -ltnp 'sport = :{}'", port)};
  }
  return {"port", Verdict::ok, fmt::format("{}:{} is free", host, port)};
}

// --- The database

Finding check_sqlite(const DatabaseOptions& options) {
  const auto config = db::sqlite::read_config(options);
  if (config.in_memory()) return {"database", Verdict::ok, "SQLite, in memory"};
  const fs::path& file = config.file;
  const std::string user = "$(id -un)";
  if (fs::exists(file)) {
    if (::access(file.c_str(), R_OK | W_OK) != 0) {
      return {"database", Verdict::problem, fmt::format("{} cannot be written", file.string()),
              fmt::format("chown {} '{}'", user, file.string())};
    }
  }
  // SQLite puts files of its own beside it.
  fs::path folder = file.parent_path();
  const bool missing = !fs::exists(folder);
  if (missing && !config.make_folder) {
    return {"database", Verdict::problem, fmt::format("there is no folder {}", folder.string()),
            fmt::format("mkdir -p '{}'", folder.string())};
  }
  while (!fs::exists(folder) && folder.has_relative_path()) folder = folder.parent_path();
  if (!fs::is_directory(folder)) {
    return {"database", Verdict::problem, fmt::format("{} is no folder", folder.string()),
            "set DATABASE_URL in .env"};
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return {"database", Verdict::problem,
            fmt::format("the folder {} cannot be written", folder.string()),
            fmt::format("chown {} '{}'", user, folder.string())};
  }
  return {"database", Verdict::ok,
          fmt::format("SQLite: {}{}", file.string(), fs::exists(file) ? "" : ", to be made")};
}

/// What helps against what libpq says.
std::string mend_postgres(std::string_view error, const std::string& database) {
  const auto says = [&](std::string_view text) { return error.find(text) != error.npos; };
  if (says("authentication failed") || says("no password supplied")) {
    return "set the user and password of DATABASE_URL in .env";
  }
  if (says("role \"") && says("does not exist"))
    return "sudo -u postgres createuser --pwprompt <user>";
  if (says("database \"") && says("does not exist")) {
    return fmt::format("sudo -u postgres createdb --owner=<user> '{}'", database);
  }
  if (says("translate host name")) return "set the host of DATABASE_URL in .env";
  return fs::exists("compose.yaml") ? "docker compose up -d postgres"
                                    : "systemctl start postgresql";
}

std::string in_one_line(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

Finding check_postgres(const DatabaseOptions& options) {
  constexpr const char* seconds_to_connect = "3";
  const auto config = db::postgres::read_config(options);
  std::vector<const char*> names, values;
  std::string database;
  for (const auto& [name, value] : config.keywords) {
    names.push_back(name.c_str());
    values.push_back(name == "connect_timeout" ? seconds_to_connect : value.c_str());
    if (name == "dbname") database = value;
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectdbParams(names.data(), values.data(), 0), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    const std::string error = in_one_line(PQerrorMessage(connection.get()));
    return {"database", Verdict::problem, fmt::format("{}: {}", config.url, error),
            mend_postgres(error, database)};
  }
  return {"database", Verdict::ok,
          fmt::format("{}: PostgreSQL {}", config.url,
                      PQparameterStatus(connection.get(), "server_version"))};
}

Findings check_database(const Known& known) {
  if (!known.config.has("DATABASE_URL") && !fs::exists("migrations")) return {};  // it has none
  try {
    const DatabaseOptions options = database_options(known.settings);
    return {options.url.starts_with("sqlite:") ? check_sqlite(options) : check_postgres(options)};
  } catch (const Error&) {
    return {};  // the settings say so
  }
}

// --- The system

Finding check_time_zones() {
  try {
    const Zone zone("Europe/Berlin");
    return {"time zones", Verdict::ok, "the system's data is there"};
  } catch (const Error&) {
    return {"time zones", Verdict::problem, "the system has no data of time zones",
            "apt-get install tzdata"};
  }
}

Finding check_disk() {
  constexpr double megabyte = 1e6, least = 200 * megabyte, enough = 1000 * megabyte;
  struct statvfs disk{};
  if (::statvfs(".", &disk) != 0) {
    return {"disk", Verdict::warning, std::generic_category().message(errno)};
  }
  const double free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  const std::string found =
      fmt::format("{:.1f} GB are free in {}", free / 1e9, fs::current_path().string());
  if (free >= enough) return {"disk", Verdict::ok, found};
  return {"disk", free < least ? Verdict::problem : Verdict::warning,
          found + "; a project and its builds take some 300 MB", "df -h ."};
}

Finding check_locale() {
  const std::string mend = "export LC_ALL=C.UTF-8";
  const bool known = std::setlocale(LC_ALL, "") != nullptr;
  const std::string encoding = ::nl_langinfo(CODESET);
  std::setlocale(LC_ALL, "C");
  if (!known)
    return {"locale", Verdict::warning, "the one that LANG and LC_… name is not installed", mend};
  if (encoding != "UTF-8") {
    return {"locale", Verdict::warning,
            fmt::format("{}: what is not ASCII may look wrong", encoding), mend};
  }
  return {"locale", Verdict::ok, encoding};
}

}  // namespace

Findings check_machine() {
  Known known;
  Findings findings{check_settings(known), check_port(known)};
  for (auto& finding : check_database(known)) findings.push_back(std::move(finding));
  for (auto& finding : {check_time_zones(), check_disk(), check_locale()}) {
    findings.push_back(finding);
  }
  return findings;
}

}  // namespace aegis::cli
