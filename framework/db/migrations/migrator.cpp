#include "db/migrations/migrator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <optional>

#include "aegis/core/clock.h"
#include "aegis/core/error.h"
#include "aegis/core/log.h"
#include "db/migrations/backend.h"
#include "db/row_reader.h"
#include "db/sql_text.h"

namespace aegis::db {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto silent_wait = 1s;

std::chrono::milliseconds since(steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
}

[[noreturn]] void refuse(const std::vector<std::string>& problems) {
  throw Error(Errc::conflict, fmt::format("{}", fmt::join(problems, "\n")));
}

std::string shortened(std::string_view sql) {
  constexpr std::size_t longest = 200;
  return sql.size() <= longest ? std::string(sql) : fmt::format("{}…", sql.substr(0, longest));
}

/// Runs a section's statements; an error says which one failed.
awaitable<void> run(Session& session, const Section& section, std::string_view what) {
  const MigrationBackend& backend = backend_of(session);
  if (!section.in_transaction) co_await backend.leave_transaction(session);
  for (std::size_t i = 0; i < section.statements.size(); ++i) {
    const std::string& sql = section.statements[i];
    std::optional<Error> failure;
    try {
      writes(sql);  // refuses BEGIN, COMMIT and the like
      co_await run_in_transaction(session, sql);
    } catch (const Error& error) {
      failure = error;
    }
    if (!failure) continue;
    throw Error(failure->code(),
                fmt::format("{} failed, and {}. Statement {} of {}: {}\n  {}", what,
                            section.in_transaction
                                ? "nothing of it is left in the database"
                                : "what it did before is in the database (-- no transaction)",
                            i + 1, section.statements.size(), failure->what(), shortened(sql)));
  }
  if (!section.in_transaction) co_await backend.reenter_transaction(session);
}

[[noreturn]] void fail(std::string_view what, Errc code, std::string_view why) {
  throw Error(code,
              fmt::format("{} failed, and nothing of it is left in the database: {}", what, why));
}

awaitable<void> check_references(Session& session, std::string_view what) {
  std::optional<Error> failure;
  try {
    co_await backend_of(session).check_references(session);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) fail(what, failure->code(), fmt::format("after it, {}", failure->what()));
}

/// Refuses to lose an index or a trigger that the migration does not name: one made by hand, whose
/// table the migration builds anew.
awaitable<void> check_dependents(Session& session, const Section& section, std::string_view what,
                                 const std::map<std::string, std::string>& before) {
  const MigrationBackend& backend = backend_of(session);
  const auto after = co_await backend.dependents(session);
  std::string text;
  for (const auto& statement : section.statements) text += ' ' + normalised(statement) + ' ';
  for (const auto& [name, table] : before) {
    const bool named = text.find(' ' + identifier(name) + ' ') != text.npos;
    if (after.contains(name) || named || !co_await backend.has_table(session, table)) continue;
    fail(what, Errc::conflict,
         fmt::format("it builds the table {} anew, and {}, which an earlier migration made by "
                     "hand, would be gone; add its CREATE statement to this one, or DROP it here",
                     table, name));
  }
}

/// Runs a section with all its checks.
awaitable<void> run_checked(Session& session, const Section& section, std::string_view what) {
  const auto before = co_await backend_of(session).dependents(session);
  co_await run(session, section, what);
  co_await check_references(session, what);
  co_await check_dependents(session, section, what, before);
}

AppliedMigration row_of(const Revision& revision, std::string checksum,
                        std::chrono::milliseconds duration) {
  return {.number = revision.number,
          .name = revision.name,
          .checksum = std::move(checksum),
          .applied_at = Clock::system().now(),
          .duration = duration,
          .framework_version = std::string(framework_version())};
}

awaitable<void> create_table(Session& session, const Table& table) {
  for (const auto& sql : backend_of(session).dialect().create(table, false)) {
    co_await run_in_transaction(session, sql);
  }
}

awaitable<void> forget_breaks(Session& session, std::int64_t number) {
  co_await session.execute("DELETE FROM aegis_breaking_migrations WHERE number = $1", number);
}

/// Records why programs from before a migration cannot work after it, if so. What stands there is
/// of a program that took the migration back without knowing of this table.
awaitable<void> record_breaks(Session& session, std::int64_t number,
                              std::vector<std::string> reasons) {
  co_await forget_breaks(session, number);
  if (reasons.empty()) co_return;
  BreakingMigration row{number, fmt::format("{}", fmt::join(reasons, "\n"))};
  co_await session.insert(row);
}

}  // namespace

/// Runs `body` in a transaction that no other process' migration runs beside.
awaitable<void> Migrator::locked(FunctionRef<awaitable<void>(Session&)> body) {
  const auto has_lock = std::make_shared<std::atomic<bool>>(false);
  boost::asio::steady_timer patience(co_await boost::asio::this_coro::executor, silent_wait);
  patience.async_wait([has_lock](boost::system::error_code cancelled) {
    if (cancelled || *has_lock) return;
    log::info("waiting for another process, which migrates the database or writes to it");
  });
  auto in_session = [&](Session& session) -> awaitable<void> {
    co_await backend_of(session).lock(session);
    *has_lock = true;
    co_await body(session);
  };
  co_await database_.run_session({.may_take_long = true, .origin = "migrations"}, in_session);
}

awaitable<MigrationState> Migrator::state(Session& session) const {
  MigrationState state =
      compare(folder_, co_await read_history(session), backend_of(session).name());
  if (!state.problems.empty()) refuse(state.problems);
  co_return state;
}

/// Creates the tables of what was applied. Tables that are there already must be just as the newest
/// migration leaves them; then all migrations count as applied.
awaitable<void> Migrator::begin_history(Report& report) {
  const Table& history = table_of<AppliedMigration>();
  const Table& breaking = table_of<BreakingMigration>();
  const MigrationBackend* backend = nullptr;
  bool there = false;
  auto look = [&](Session& session) -> awaitable<void> {
    backend = &backend_of(session);
    there = co_await backend->has_table(session, history.name) &&
            co_await backend->has_table(session, breaking.name);
  };
  co_await database_.run_session({.read_only = true}, look);
  if (there) co_return;

  const Catalogue expected = co_await backend->expect(runtime_, database_, folder_.schema());
  auto create = [&](Session& session) -> awaitable<void> {
    const bool begun = co_await backend->has_table(session, history.name);
    const Catalogue actual = co_await backend->inspect(session);
    if (!begun) co_await create_table(session, history);
    if (!co_await backend->has_table(session, breaking.name)) {
      co_await create_table(session, breaking);
      for (const auto& row : (co_await read_history(session)).applied) {
        co_await record_breaks(session, row.number, {"applied before this was recorded"});
      }
    }
    if (begun) co_return;
    const bool untouched = std::ranges::none_of(
        expected.tables, [&](const auto& table) { return actual.tables.contains(table.first); });
    if (untouched || folder_.revisions().empty()) co_return;
    const auto known = [&](const std::string& name) {
      return folder_.mentions(name, backend->name());
    };
    const auto lines = differences(expected, actual, known);
    if (!lines.empty()) {
      throw Error(
          Errc::conflict,
          fmt::format("The database has tables, but no record of migrations, and is not as {} "
                      "leaves it:\n  {}\nMake it so by hand (`db schema` prints how it should be), "
                      "then run this again; or begin with an empty database.",
                      folder_.title_of(folder_.head()), fmt::join(lines, "\n  ")));
    }
    for (const auto& revision : folder_.revisions()) {
      auto row = row_of(revision, folder_.checksum(revision, backend->name()), 0ms);
      co_await session.insert(row);
      co_await record_breaks(session, revision.number,
                             folder_.script(revision, backend->name()).up.breaks);
    }
    report(fmt::format("the tables are there already, as {} leaves them: recorded",
                       folder_.title_of(folder_.head())));
  };
  co_await locked(create);
}

awaitable<void> Migrator::upgrade(std::optional<std::int64_t> to, Report report) {
  co_await begin_history(report);
  bool more = true;
  auto step = [&](Session& session) -> awaitable<void> {
    more = co_await apply_next(session, to.value_or(folder_.head()), report);
  };
  while (more) co_await locked(step);
}

awaitable<bool> Migrator::apply_next(Session& session, std::int64_t to, Report& report) {
  const MigrationState now = co_await state(session);
  if (!now.note.empty() && to == folder_.head()) {
    report(now.note);
    co_return false;
  }
  if (now.current() > to) {
    throw Error(Errc::conflict,
                fmt::format("The database is at {} already; `db downgrade --to {}` goes back.",
                            folder_.title_of(now.current()), to));
  }
  if (now.pending.empty() || now.pending.front().number > to) co_return false;
  const Revision& next = now.pending.front();
  const std::string_view dialect = backend_of(session).name();
  const Script script = folder_.script(next, dialect);
  const auto begin = steady_clock::now();
  co_await run_checked(session, script.up, next.title());
  AppliedMigration row = row_of(next, folder_.checksum(next, dialect), since(begin));
  co_await session.insert(row);
  co_await record_breaks(session, next.number, script.up.breaks);
  co_await session.commit();
  report(fmt::format("{} applied in {} ms", next.title(), row.duration.count()));
  co_return next.number < to;
}

awaitable<void> Migrator::downgrade(std::int64_t to, bool allow_destructive, Report report) {
  bool more = true;
  auto step = [&](Session& session) -> awaitable<void> {
    more = co_await revert_last(session, to, allow_destructive, report);
  };
  co_await begin_history(report);
  while (more) co_await locked(step);
}

awaitable<bool> Migrator::revert_last(Session& session, std::int64_t to, bool allow_destructive,
                                      Report& report) {
  const MigrationState now = co_await state(session);
  if (now.current() < to) {
    throw Error(Errc::conflict, fmt::format("The database is at {} only; `db upgrade --to {}` goes "
                                            "there.",
                                            folder_.title_of(now.current()), to));
  }
  if (now.current() == to) co_return false;
  if (!now.note.empty()) {
    throw Error(Errc::conflict,
                now.note + "; to go back, run `db downgrade` of the release that brought it");
  }
  const Revision& last = *folder_.find(now.current());
  const Script script = folder_.script(last, backend_of(session).name());
  if (!script.down.losses.empty() && !allow_destructive) {
    throw Error(Errc::conflict,
                fmt::format("Taking back {} would lose data:\n  {}\nIf that is meant: "
                            "--allow-destructive",
                            last.title(), fmt::join(script.down.losses, "\n  ")));
  }
  const auto begin = steady_clock::now();
  const std::string what = "taking back " + last.title();
  co_await run_checked(session, script.down, what);
  co_await session.erase<AppliedMigration>(last.number);
  co_await forget_breaks(session, last.number);
  co_await session.commit();
  report(fmt::format("{} taken back in {} ms", last.title(), since(begin).count()));
  co_return true;
}

awaitable<std::vector<std::string>> Migrator::drift() {
  Catalogue actual;
  const MigrationBackend* backend = nullptr;
  auto look = [&](Session& session) -> awaitable<void> {
    backend = &backend_of(session);
    actual = co_await backend->inspect(session);
  };
  co_await database_.run_session({.read_only = true}, look);
  const Catalogue expected = co_await backend->expect(runtime_, database_, folder_.schema());
  const auto known = [&](const std::string& name) {
    return folder_.mentions(name, backend->name());
  };
  co_return differences(expected, actual, known);
}

}  // namespace aegis::db
