#include "ground.h"

awaitable<std::string> Ticking::runs() {
  auto body = [](Session& s) -> awaitable<std::vector<RunRow>> {
    return s.select<RunRow>().order_by(RunRow::col.slot.asc()).all();
  };
  std::string text;
  for (const auto& run : co_await db.session({.read_only = true}, body)) {
    if (!text.empty()) text += ", ";
    text += aegis::to_string(run.slot).substr(0, 19) + " " + run.how;
    if (run.outcome) text += " " + *run.outcome;
  }
  co_return text;
}

awaitable<std::int64_t> Ticking::jobs() {
  auto body = [](Session& s) -> awaitable<std::int64_t> { return s.select<WaitingJob>().count(); };
  co_return co_await db.session({.read_only = true}, body);
}

awaitable<std::string> Ticking::last(std::string name, std::int64_t count) {
  std::string text;
  for (const auto& run : co_await store.history(name, count)) {
    if (!text.empty()) text += ", ";
    text += aegis::to_string(run.slot).substr(11, 5) + " " + run.outcome.value_or("nothing");
  }
  co_return text;
}

awaitable<void> finish_all(Database& db, std::string state, std::optional<std::string> error,
                           std::optional<std::string> output, std::optional<std::int64_t> id) {
  const std::string which = id ? " WHERE id = " + std::to_string(*id) : "";
  auto body = [&](Session& s) -> awaitable<void> {
    co_await s.execute(
        "INSERT INTO aegis_job_finished (id, kind, queue, state, priority, run_at, created_at, "
        "attempt, starts, max_attempts, timeout, arguments, tags, finished_at, error, output) "
        "SELECT id, kind, queue, $1, priority, run_at, created_at, 1, 1, max_attempts, timeout, "
        "arguments, tags, run_at, $2, $3 FROM aegis_job" +
            which,
        state, error, output);
    co_await s.execute("DELETE FROM aegis_job" + which);
  };
  co_await db.session(body);
}
