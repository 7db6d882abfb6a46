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
