#include "app/database_setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "aegis/core/clock.h"
#include "aegis/core/error.h"
#include "aegis/core/log.h"
#include "db/migrations/backend.h"
#include "db/migrations/history.h"
#include "db/migrations/migrator.h"

namespace aegis {

DatabaseSetup::DatabaseSetup(Runtime& runtime, Database& database,
                             const std::vector<const Table*>& tables, const Options& options)
    : runtime_(runtime),
      database_(database),
      tables_(tables),
      folder_(options.migrations_dir),
      in_memory_(db::is_in_memory(database.options())),
      upgrade_(options.upgrade) {
  database_.set_prepared(false);
}

awaitable<void> DatabaseSetup::run() {
  std::chrono::milliseconds pause{250};
  std::string told;
  for (;;) {
    std::string problem;
    try {
      problem = co_await attempt();
    } catch (const Error& error) {
      problem = error.what();
      const bool lasting = error.code() == Errc::internal || error.code() == Errc::invalid;
      if (lasting && !migrations()) {
        tell(problem);
        throw;
      }
      if (lasting || error.code() == Errc::conflict) {  // it would fail again
        upgrade_ = false;
        failure_ = problem;
      }
    }
    tell(problem);
    if (problem.empty()) {
      if (!told.empty()) log::info("the database is ready");
      co_return;
    }
    if (told != problem) log::error("the database is not ready", "error", problem);
    told = problem;
    co_await Clock::system().sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(5000));
  }
}

/// Answers what else is to happen first; empty: nothing.
awaitable<std::string> DatabaseSetup::attempt() {
  if (migrations() && upgrade_) co_await upgrade();
  db::MigrationState state;
  if (!in_memory_) state = co_await db::migration_state(database_, folder_);
  if (!migrations()) {
    if (!state.applied.empty()) {
      co_return fmt::format(
          "the database was made by migrations, but there are none in {} "
          "(MIGRATIONS_DIR)",
          folder_.path().string());
    }
    co_await database_.create_all(tables_);
    co_return "";
  }
  if (!state.problems.empty()) co_return fmt::format("{}", fmt::join(state.problems, "; "));
  if (!state.note.empty()) log::warn("going back to an older release", "database", state.note);
  if (state.pending.empty()) co_return "";
  if (!failure_.empty()) co_return failure_;
  co_return fmt::format("the database is at {}, but this program needs {}: run db upgrade",
                        folder_.title_of(state.current()), folder_.title_of(folder_.head()));
}

awaitable<void> DatabaseSetup::upgrade() {
  Database migrating(runtime_, db::migration_options(database_.options()));
  db::Migrator migrator(runtime_, migrating, folder_);
  co_await migrator.upgrade(std::nullopt,
                            [](const std::string& line) { log::info("migration", "done", line); });
  co_await migrating.close();
}

std::string DatabaseSetup::why_not_ready() const {
  const std::lock_guard lock(mutex_);
  return why_not_ready_;
}

void DatabaseSetup::tell(std::string state) {
  const std::lock_guard lock(mutex_);
  if (state.empty()) database_.set_prepared(true);
  why_not_ready_ = std::move(state);
}

}  // namespace aegis
