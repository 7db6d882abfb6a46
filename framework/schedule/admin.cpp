#include "schedule/admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/describe/suggest.h"
#include "schedule/slots.h"
#include "schedule/words.h"

namespace aegis::schedule {

namespace {

struct Timing {
  std::string timing{};
  std::string zone{};
  std::chrono::milliseconds jitter{};

  AEGIS_FIELDS(Timing, (timing), (zone), (jitter))
};

/// Why it cannot be read.
std::optional<std::string> problem_with(const ScheduleRow& row) {
  try {
    const Slots slots(spec_of(row), row.created_at);
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

ScheduleInfo info_of(const ScheduleRow& row) {
  auto problem = problem_with(row);
  const std::string state = row.retired_at  ? "retired"
                            : problem       ? "broken"
                            : row.paused_at ? "paused"
                            : row.slot      ? "active"
                                            : "ended";
  return {.name = row.name,
          .state = state,
          .kind = row.kind,
          .arguments = row.arguments,
          .timing = row.timing,
          .zone = row.zone,
          .catch_up = row.catch_up,
          .catch_up_most = row.catch_up_most,
          .overlap = row.overlap,
          .jitter = row.jitter,
          .starts_at = row.starts_at,
          .ends_at = row.ends_at,
          .declared = row.declared,
          .created_at = row.created_at,
          .paused_at = row.paused_at,
          .next = state == "active" ? row.slot : std::nullopt,
          .problem = std::move(problem)};
}

/// Adds the next `count` slots, or why there are none.
void add_slots(const ScheduleRow& row, std::size_t count, Upcoming& to) {
  const ScheduleInfo info = info_of(row);
  if (!info.next) {
    to.without.push_back({row.name, info.problem            ? "cannot be read: " + *info.problem
                                    : info.state == "ended" ? "has ended"
                                                            : "is " + info.state});
    return;
  }
  const Slots slots(spec_of(row), row.created_at);
  auto slot = info.next;
  for (std::size_t i = 0; i < count && slot; ++i, slot = slots.next(*slot)) {
    to.slots.push_back({row.name, *slot});
  }
}

awaitable<Error> no_such(Session& s, std::string_view name) {
  const auto names =
      co_await s.query<std::string>("SELECT name FROM aegis_schedule ORDER BY name LIMIT 1000");
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string hint = aegis::detail::did_you_mean(name, known);
  co_return Error(Errc::not_found,
                  fmt::format("There is no schedule {}{}", name, hint.empty() ? "." : hint));
}

awaitable<ScheduleRow> find(Session& s, const std::string& name, bool for_update) {
  auto query = s.select<ScheduleRow>().where(ScheduleRow::col.name == name);
  if (for_update) query.for_update();
  auto found = co_await query.first();
  if (!found) throw co_await no_such(s, name);
  co_return std::move(*found);
}

awaitable<void> change(Database& db, const std::string& name,
                       FunctionRef<awaitable<void>(Session&, ScheduleRow&)> change_row) {
  auto body = [&](Session& s) -> awaitable<void> {
    ScheduleRow row = co_await find(s, name, true);
    co_await change_row(s, row);
    s.notify(std::string(news_channel));
  };
  co_await db.session(body);
}

}  // namespace

awaitable<std::vector<ScheduleInfo>> list(Database& db, std::int64_t limit, std::string after) {
  auto body = [&](Session& s) -> awaitable<std::vector<ScheduleRow>> {
    return s.select<ScheduleRow>()
        .where(ScheduleRow::col.name > after)
        .order_by(ScheduleRow::col.name.asc())
        .limit(limit)
        .all();
  };
  std::vector<ScheduleInfo> infos;
  for (const auto& row : co_await db.session({.read_only = true}, body)) {
    infos.push_back(info_of(row));
  }
  co_return infos;
}

awaitable<ScheduleInfo> show(Database& db, std::string name) {
  auto body = [&](Session& s) -> awaitable<ScheduleRow> { return find(s, name, false); };
  co_return info_of(co_await db.session({.read_only = true}, body));
}

awaitable<Upcoming> next_slots(Database& db, std::optional<std::string> name, std::size_t count) {
  Upcoming upcoming;
  auto body = [&](Session& s) -> awaitable<void> {
    upcoming = {};
    if (name) {
      add_slots(co_await find(s, *name, false), count, upcoming);
      co_return;
    }
    const auto most = static_cast<std::int64_t>(count);
    std::size_t looked_at = 0;
    // After `count` that can be read no other can be among the first.
    while (looked_at - upcoming.without.size() < count) {
      const auto rows = co_await s.select<ScheduleRow>()
                            .where(ScheduleRow::col.slot != std::nullopt &&
                                   ScheduleRow::col.paused_at == std::nullopt)
                            .order_by(ScheduleRow::col.slot.asc(), ScheduleRow::col.name.asc())
                            .offset(static_cast<std::int64_t>(looked_at))
                            .limit(most)
                            .all();
      for (const auto& row : rows) add_slots(row, count, upcoming);
      looked_at += rows.size();
      if (rows.size() < count) break;
    }
  };
  co_await db.session({.read_only = true}, body);
  if (!name) upcoming.without = co_await broken(db);  // also those whose turn is not near
  std::ranges::sort(upcoming.slots, {},
                    [](const NextSlot& one) { return std::tie(one.slot, one.schedule); });
  upcoming.slots.resize(std::min(upcoming.slots.size(), count));
  co_return upcoming;
}

awaitable<std::vector<WithoutSlot>> broken(Database& db) {
  std::vector<WithoutSlot> found;
  auto body = [&](Session& s) -> awaitable<void> {
    found.clear();
    // Thousands of schedules have few timings, as a rule.
    const auto timings = co_await s.query<Timing>(
        "SELECT DISTINCT timing, zone, jitter FROM aegis_schedule WHERE retired_at IS NULL");
    for (const auto& [timing, zone, jitter] : timings) {
      const auto problem = problem_with({.timing = timing, .zone = zone, .jitter = jitter});
      if (!problem) continue;
      const auto rows =
          co_await s.select<ScheduleRow>()
              .where(ScheduleRow::col.timing == timing && ScheduleRow::col.zone == zone &&
                     ScheduleRow::col.jitter == jitter &&
                     ScheduleRow::col.retired_at == std::nullopt)
              .all();
      for (const auto& row : rows) found.push_back({row.name, "cannot be read: " + *problem});
    }
  };
  co_await db.session({.read_only = true}, body);
  std::ranges::sort(found, {}, &WithoutSlot::schedule);
  co_return found;
}

awaitable<std::vector<RunInfo>> history(Store& store, std::optional<std::string> name,
                                        std::int64_t limit) {
  auto runs = co_await store.history(name, limit);
  if (name && runs.empty()) co_await show(store.database(), *name);  // or there is no such schedule
  co_return runs;
}

awaitable<std::int64_t> run_now(Store& store, std::string name) {
  co_await show(store.database(), name);
  co_return co_await store.run_now(name);
}

awaitable<ScheduleInfo> create(Store& store, ScheduleSpec spec) {
  check(spec);
  check_arguments(store.kind(spec.kind), spec.arguments);
  ScheduleRow row;
  auto body = [&](Session& s) -> awaitable<void> {
    if (co_await s.find<ScheduleRow>(spec.name)) {
      throw Error(Errc::conflict, fmt::format("There is a schedule {} already.", spec.name));
    }
    row = {};
    set_spec(row, spec);
    row.created_at = co_await store.time(s);
    set_next(row, row.created_at);
    if (!row.slot) {
      throw Error(Errc::invalid, fmt::format("Schedule {} would never be due: no slot is left of "
                                             "\"{}\" ({}).",
                                             row.name, row.timing, row.zone));
    }
    co_await s.insert(row);
    s.notify(std::string(news_channel));
  };
  co_await store.database().session(body);
  co_return info_of(row);
}

awaitable<void> erase(Database& db, std::string name) {
  auto erase_row = [](Session& s, ScheduleRow& row) -> awaitable<void> {
    if (row.declared && !row.retired_at) {
      throw Error(Errc::conflict, fmt::format("Schedule {} is declared in the code and would come "
                                              "back; pause it instead.",
                                              row.name));
    }
    co_await s.erase<ScheduleRow>(row.name);
  };
  co_await change(db, name, erase_row);
}

awaitable<void> pause(Store& store, std::string name) {
  auto pause_row = [&](Session& s, ScheduleRow& row) -> awaitable<void> {
    if (row.paused_at) co_return;
    row.paused_at = co_await store.time(s);
    co_await s.update(row);
  };
  co_await change(store.database(), name, pause_row);
}

awaitable<void> resume(Store& store, std::string name) {
  auto resume_row = [&](Session& s, ScheduleRow& row) -> awaitable<void> {
    if (!row.paused_at) co_return;
    row.paused_at.reset();
    if (!row.retired_at) set_next(row, co_await store.time(s));
    co_await s.update(row);
  };
  co_await change(store.database(), name, resume_row);
}

}  // namespace aegis::schedule
