#include "schedule/admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "schedule/slots.h"
#include "schedule/words.h"

namespace aegis::schedule {

namespace {

ScheduleInfo info_of(const ScheduleRow& row) {
  const bool paused = row.paused_at.has_value();
  return {.name = row.name,
          .state = row.retired_at ? "retired"
                   : paused       ? "paused"
                   : row.slot     ? "active"
                                  : "ended",
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
          .next = paused ? std::nullopt : row.slot};
}

Error no_such(std::string_view name) {
  return Error(Errc::not_found, fmt::format("There is no schedule {}.", name));
}

awaitable<ScheduleRow> find(Session& s, const std::string& name, bool for_update) {
  auto query = s.select<ScheduleRow>().where(ScheduleRow::col.name == name);
  if (for_update) query.for_update();
  auto found = co_await query.first();
  if (!found) throw no_such(name);
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

awaitable<std::vector<NextSlot>> next_slots(Database& db, std::optional<std::string> name,
                                            std::size_t count) {
  auto body = [&](Session& s) -> awaitable<std::vector<ScheduleRow>> {
    std::vector<ScheduleRow> rows;
    if (name) {
      rows.push_back(co_await find(s, *name, false));
    } else {  // no other can be among the first
      rows = co_await s.select<ScheduleRow>()
                 .where(ScheduleRow::col.slot != std::nullopt &&
                        ScheduleRow::col.paused_at == std::nullopt)
                 .order_by(ScheduleRow::col.slot.asc())
                 .limit(static_cast<std::int64_t>(count))
                 .all();
    }
    co_return rows;
  };
  std::vector<NextSlot> found;
  for (const auto& row : co_await db.session({.read_only = true}, body)) {
    const Slots slots(spec_of(row), row.created_at);
    auto slot = row.slot;
    for (std::size_t i = 0; i < count && slot; ++i, slot = slots.next(*slot)) {
      found.push_back({row.name, *slot});
    }
  }
  std::ranges::sort(found, {},
                    [](const NextSlot& one) { return std::tie(one.slot, one.schedule); });
  found.resize(std::min(found.size(), count));
  co_return found;
}

awaitable<ScheduleInfo> create(Store& store, ScheduleSpec spec) {
  check_arguments(store.kind(spec.kind), spec.arguments);
  ScheduleRow row;
  auto body = [&](Session& s) -> awaitable<void> {
    row = {};
    set_spec(row, spec);
    row.created_at = co_await store.time(s);
    set_next(row, row.created_at);
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
