#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aegis/core/settings.h"
#include "app/parts.h"

/// The `db` commands. Each answers the exit code, and throws Error when the database is away or the
/// settings are wrong.
namespace aegis::commands {

struct NewRevision {
  std::string message{};
  std::vector<std::string> renames{}, fills{};  ///< "shield.power:strength", "shield.weight=0"
  bool allow_destructive = false;
  bool empty = false;
};

int db_create(const App::Parts& parts, const Settings& settings);
int db_schema(const App::Parts& parts, const Settings& settings);
int db_revision(const App::Parts& parts, const Settings& settings, const NewRevision& request);
/// `to` is a number or a title; empty: the newest.
int db_upgrade(const Settings& settings, const std::string& to);
/// `to` empty: the one before.
int db_downgrade(const Settings& settings, const std::string& to, bool allow_destructive);
int db_status(const Settings& settings);
int db_history(const Settings& settings);
/// Fails where models, migrations and database differ.
int db_check(const App::Parts& parts, const Settings& settings);
/// Becomes the database's own client.
int db_shell(const Settings& settings, const std::vector<std::string>& arguments);

}  // namespace aegis::commands
