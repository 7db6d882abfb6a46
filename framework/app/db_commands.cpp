#include "app/db_commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <functional>

#include "aegis/core/config.h"
#include "aegis/core/runtime.h"
#include "app/ask.h"
#include "app/cli.h"
#include "app/database_settings.h"
#include "app/with_database.h"
#include "db/migrations/backend.h"
#include "db/migrations/diff.h"
#include "db/migrations/migrator.h"
#include "db/migrations/revision.h"
#include "db/shell.h"

namespace aegis::commands {
namespace {

void say(std::string_view line) {
  fmt::print("{}\n", line);
}

db::MigrationFolder read_folder(const Settings& settings) {
  db::MigrationFolder folder(settings.migrations_dir);
  if (folder.revisions().empty()) {
    throw Error(Errc::invalid,
                fmt::format("There are no migrations in {} (MIGRATIONS_DIR); `db revision -m "
                            "\"begin\"` writes the first one.",
                            settings.migrations_dir));
  }
  return folder;
}

DatabaseOptions lasting_database(const Settings& settings) {
  DatabaseOptions options = database_options(settings);
  if (db::is_in_memory(options)) {
    throw Error(Errc::invalid,
                "A database in memory (DATABASE_URL) begins empty with every process and is made "
                "from the models; there is nothing to migrate.");
  }
  return options;
}

void migrate(const Settings& settings,
             const std::function<awaitable<void>(db::Migrator&, const db::MigrationState&)>& work,
             const db::MigrationFolder& folder) {
  const auto options = db::migration_options(lasting_database(settings));
  with_database(options, [&](Runtime& runtime, Database& database) -> awaitable<void> {
    db::Migrator migrator(runtime, database, folder);
    const auto state = co_await db::migration_state(database, folder);
    co_await work(migrator, state);
  });
}

db::MigrationState read_state(const Settings& settings, const db::MigrationFolder& folder) {
  db::MigrationState state;
  with_database(lasting_database(settings), [&](Runtime&, Database& database) -> awaitable<void> {
    state = co_await db::migration_state(database, folder);
  });
  return state;
}

// "shield.power:strength" or "guild:clan"
void add_rename(db::Intent& intent, const std::string& text) {
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0 || colon + 1 == text.size()) {
    throw Error(Errc::invalid, fmt::format("--rename {}: write --rename table.old:new for a "
                                           "column, --rename old:new for a table",
                                           text));
  }
  const std::string before = text.substr(0, colon), now = text.substr(colon + 1);
  if (const auto dot = before.find('.'); dot != before.npos) {
    intent.renamed_columns[before.substr(0, dot + 1) + now] = before.substr(dot + 1);
  } else {
    intent.renamed_tables[now] = before;
  }
}

void add_fill(db::Intent& intent, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == text.npos || text.find('.') > equals) {
    throw Error(Errc::invalid, fmt::format("--fill {}: write --fill table.column=value", text));
  }
  intent.fills[text.substr(0, equals)] = text.substr(equals + 1);
}

}  // namespace

int db_create(const App::Parts& parts, const Settings& settings) {
  with_database(database_options(settings),
                [&](Runtime&, Database& database) { return database.create_all(parts.tables); });
  const std::size_t tables = parts.tables.size();
  fmt::print("{} {} in {}\n", tables, tables == 1 ? "table is" : "tables are",
             mask_url_password(settings.database_url));
  return exit_ok;
}

int db_schema(const App::Parts& parts, const Settings& settings) {
  Runtime runtime({.threads = 1, .handle_signals = false});
  const Database database(runtime, database_options(settings));
  fmt::print("{}", database.schema(parts.tables));
  return exit_ok;
}

int db_revision(const App::Parts& parts, const Settings& settings, const NewRevision& request) {
  return answer([&] {
    db::RevisionRequest asked{.message = request.message,
                              .allow_destructive = request.allow_destructive,
                              .empty = request.empty};
    for (const auto& rename : request.renames) add_rename(asked.intent, rename);
    for (const auto& fill : request.fills) add_fill(asked.intent, fill);
    const db::MigrationFolder folder(settings.migrations_dir);
    const auto written = db::write_revision(folder, db::schema_of(parts.tables), asked);
    if (!written) {
      say("The models are as the migrations leave them: nothing to write.");
      return exit_ok;
    }
    say(written->revision.title());
    for (const auto& line : written->summary) say("  " + line);
    for (const auto& file : written->files) say("wrote " + file);
    return exit_ok;
  });
}

int db_upgrade(const Settings& settings, const std::string& to) {
  return answer([&] {
    const db::MigrationFolder folder = read_folder(settings);
    const auto target = to.empty() ? folder.head() : folder.number_of(to);
    bool changed = false;
    const auto report = [&](const std::string& line) {
      changed = true;
      say(line);
    };
    const auto work = [&](db::Migrator& migrator, const db::MigrationState&) {
      return migrator.upgrade(target, report);
    };
    migrate(settings, work, folder);
    if (!changed) say("The database is at " + folder.title_of(target) + ": nothing to do.");
    return exit_ok;
  });
}

int db_downgrade(const Settings& settings, const std::string& to, bool allow_destructive) {
  return answer([&] {
    const db::MigrationFolder folder = read_folder(settings);
    const auto work = [&](db::Migrator& migrator,
                          const db::MigrationState& state) -> awaitable<void> {
      std::int64_t target = 0;
      if (!to.empty()) {
        target = folder.number_of(to);
      } else if (state.applied.size() > 1) {
        target = state.applied[state.applied.size() - 2].number;
      }
      if (target == state.current()) {
        say("The database is at " + folder.title_of(target) + ": nothing to do.");
        co_return;
      }
      co_await migrator.downgrade(target, allow_destructive, say);
    };
    migrate(settings, work, folder);
    return exit_ok;
  });
}

int db_status(const Settings& settings) {
  return answer([&] {
    const db::MigrationFolder folder = read_folder(settings);
    const db::MigrationState state = read_state(settings, folder);
    const std::string now = state.applied.empty()
                                ? folder.title_of(0)
                                : db::Revision{state.current(), state.applied.back().name}.title();
    fmt::print("database  {}\ncurrent   {}\nnewest    {}\n",
               mask_url_password(settings.database_url), now, folder.title_of(folder.head()));
    for (const auto& revision : state.pending) say("pending   " + revision.title());
    for (const auto& problem : state.problems) say("problem   " + problem);
    if (!state.note.empty()) say("newer     " + state.note);
    return exit_ok;
  });
}

int db_history(const Settings& settings) {
  return answer([&] {
    const db::MigrationFolder folder = read_folder(settings);
    const db::MigrationState state = read_state(settings, folder);
    for (const auto& row : state.applied) {
      fmt::print("{:<40} applied {} in {} ms by {}\n", db::Revision{row.number, row.name}.title(),
                 to_string(row.applied_at), row.duration.count(), row.framework_version);
    }
    for (const auto& revision : state.pending) fmt::print("{:<40} pending\n", revision.title());
    return exit_ok;
  });
}

int db_check(const App::Parts& parts, const Settings& settings) {
  return answer([&] {
    const db::MigrationFolder folder = read_folder(settings);
    std::vector<std::string> found;
    for (const auto& line :
         db::plain_diff(folder.schema(), db::schema_of(parts.tables)).summary()) {
      found.push_back("models: " + line + ", in no migration (db revision)");
    }
    const auto work = [&](db::Migrator& migrator,
                          const db::MigrationState& state) -> awaitable<void> {
      for (const auto& problem : state.problems) found.push_back("database: " + problem);
      for (const auto& revision : state.pending) {
        found.push_back("database: " + revision.title() + " is pending (db upgrade)");
      }
      if (!state.note.empty()) found.push_back("database: " + state.note);
      // What it should be is known only for the newest.
      if (state.newer || !state.problems.empty() || !state.pending.empty()) co_return;
      for (const auto& line : co_await migrator.drift()) found.push_back("database: " + line);
    };
    migrate(settings, work, folder);
    for (const auto& line : found) say(line);
    if (!found.empty()) return exit_failed;
    say("Models, migrations and database agree.");
    return exit_ok;
  });
}

int db_shell(const Settings& settings, const std::vector<std::string>& arguments) {
  return answer([&]() -> int { db::become_shell(lasting_database(settings), arguments); });
}

}  // namespace aegis::commands
