#include "db/migrations/history.h"

#include <fmt/format.h>

#include <algorithm>

#include "db/migrations/backend.h"

namespace aegis::db {

std::string_view framework_version() {
  return AEGIS_VERSION;
}

MigrationState compare(const MigrationFolder& folder, MigrationHistory history,
                       std::string_view dialect) {
  MigrationState state{.applied = std::move(history.applied)};
  const auto problem = [&]<class... Args>(fmt::format_string<Args...> format, Args&&... args) {
    state.problems.push_back(fmt::format(format, std::forward<Args>(args)...));
  };
  for (const auto& row : state.applied) {
    const std::string title = Revision{row.number, row.name}.title();
    const Revision* revision = folder.find(row.number);
    if (!revision && row.number > folder.head()) {
      state.newer = true;
      const bool adds_only =
          history.tells_breaking &&
          std::ranges::find(history.breaking, row.number, &BreakingMigration::number) ==
              history.breaking.end();
      if (adds_only) {
        state.note += fmt::format("{}{}", state.note.empty() ? "" : ", ", title);
      } else {
        problem(
            "the database is newer than this program: it has {}, and the newest migration in {} "
            "is {}; run the release that brought it, or have that one go back: db downgrade --to "
            "{}",
            title, folder.path().string(), folder.title_of(folder.head()), folder.head());
      }
    } else if (!revision || revision->name != row.name) {
      problem("{} was applied, but {} has {}; bring back the migration as it was", title,
              folder.path().string(), revision ? revision->title() : "no such migration");
    } else if (folder.checksum(*revision, dialect) != row.checksum) {
      problem(
          "{}/{}/{}.sql was edited after it was applied at {}; undo that (git checkout), and make "
          "the change a new migration",
          folder.path().string(), title, dialect, to_string(row.applied_at));
    }
  }
  for (const auto& revision : folder.revisions()) {
    if (std::ranges::find(state.applied, revision.number, &AppliedMigration::number) !=
        state.applied.end()) {
      continue;
    }
    state.pending.push_back(revision);
    if (revision.number < state.current()) {
      problem(
          "{} is not applied, but {} after it is: two branches were merged; give it the next "
          "number, as in git mv {}/{} {}/{:04}_{}",
          revision.title(), folder.title_of(state.current()), folder.path().string(),
          revision.title(), folder.path().string(), folder.head() + 1, revision.name);
    }
  }
  if (!state.problems.empty()) state.note.clear();
  if (!state.note.empty()) {
    state.note = fmt::format(
        "the database is newer than this program: it has {}, which this program can "
        "work with",
        state.note);
  }
  return state;
}

awaitable<MigrationHistory> read_history(Session& session) {
  const MigrationBackend& backend = backend_of(session);
  MigrationHistory history;
  if (co_await backend.has_table(session, table_of<AppliedMigration>().name)) {
    history.applied = co_await session.select<AppliedMigration>()
                          .order_by(AppliedMigration::col.number.asc())
                          .all();
  }
  history.tells_breaking = co_await backend.has_table(session, table_of<BreakingMigration>().name);
  if (history.tells_breaking) history.breaking = co_await session.select<BreakingMigration>().all();
  co_return history;
}

awaitable<MigrationState> migration_state(Database& database, const MigrationFolder& folder) {
  MigrationHistory history;
  std::string_view dialect;
  auto body = [&](Session& s) -> awaitable<void> {
    dialect = backend_of(s).name();
    history = co_await read_history(s);
  };
  co_await database.run_session({.read_only = true}, body);
  co_return compare(folder, std::move(history), dialect);
}

}  // namespace aegis::db
