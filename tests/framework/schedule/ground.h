#pragma once

#include "../jobs/ground.h"
#include "aegis/testing/fake_clock.h"
#include "jobs/hub.h"
#include "schedule/admin.h"
#include "schedule/slots.h"
#include "schedule/store.h"
#include "tick.h"

/// What tests of schedules have beside those of jobs: a clock that they move, and a store.

using aegis::CatchUp, aegis::Overlap, aegis::Schedules, aegis::ScheduleSpec, aegis::Timestamp;
using aegis::schedule::RunRow, aegis::schedule::ScheduleRow;

inline Timestamp moment(std::string_view text) {
  return *aegis::parse_timestamp(text);
}

struct Ticking {
  explicit Ticking(Database& database, Timestamp now = moment("2026-01-01T00:00:00Z"))
      : db(database),
        clock(now),
        hub(aegis::jobs::Hub::of(database.begin().driver())),
        store(database, {&aegis::job_kind<Tick>(), &aegis::job_kind<UniqueTick>()}) {
    hub->use(&clock);
  }
  ~Ticking() { hub->use(nullptr); }

  awaitable<void> prepare(const Schedules& declared = {}) {
    co_await db.create_all(aegis::schedule::tables());
    co_await store.reconcile(declared.declared());
  }
  awaitable<void> create(ScheduleSpec spec) {
    if (spec.kind.empty()) spec.kind = "Tick";
    co_await aegis::schedule::create(store, std::move(spec));
  }
  /// Fires all that is due.
  awaitable<void> fire() {
    for (std::int64_t fired = 1'000; fired > 0;) fired = co_await store.fire(1'000, 1min);
  }
  awaitable<void> fire_at(std::string_view time) {
    clock.advance(moment(time) - clock.now());
    co_await fire();
  }
  /// "2026-01-01T00:00:00 on time, …", in the order of the slots.
  awaitable<std::string> runs();
  awaitable<std::int64_t> jobs();
  /// The newest runs of one, the newest first: "00:02 blocked, 00:01 available".
  awaitable<std::string> last(std::string name, std::int64_t count = 1);

  Database& db;
  aegis::testing::FakeClock clock;
  std::shared_ptr<aegis::jobs::Hub> hub;
  aegis::schedule::Store store;
};

/// Ends every job as a worker would, or only one.
awaitable<void> finish_all(Database& db, std::string state, std::optional<std::string> error = {},
                           std::optional<std::string> output = {},
                           std::optional<std::int64_t> id = {});
