#include "app/schedules_routes.h"

#include "aegis/app/session.h"
#include "aegis/db/database.h"
#include "app/door.h"
#include "schedule/admin.h"

namespace aegis {
namespace {

using schedule::RunInfo, schedule::ScheduleInfo, schedule::Store, schedule::Upcoming;
using Kinds = std::vector<const JobKind*>;
using Name = Path<"name", std::string>;

struct ListQuery {
  int limit = 50;
  std::string after{};

  AEGIS_FIELDS(ListQuery, (limit, ge(1), le(200)), (after, doc("The `next` of the page before.")))
};

struct LimitQuery {
  int limit = 10;

  AEGIS_FIELDS(LimitQuery, (limit, ge(1), le(1000)))
};

struct RunStarted {
  std::int64_t job = 0;

  AEGIS_FIELDS(RunStarted, (job))
};

struct List {
  SharedDoor door;
  awaitable<Page<ScheduleInfo>> operator()(Authorization token, QueryOf<ListQuery> in,
                                           Database& db) const {
    door->check(token);
    Page<ScheduleInfo> page;
    page.items = co_await schedule::list(db, in->limit + 1, in->after);
    if (std::ssize(page.items) > in->limit) {
      page.items.pop_back();
      page.next = page.items.back().name;
    }
    co_return page;
  }
};

struct Show {
  SharedDoor door;
  awaitable<ScheduleInfo> operator()(Authorization token, Name name, Database& db) const {
    door->check(token);
    co_return co_await schedule::show(db, *name);
  }
};

struct NextOfOne {
  SharedDoor door;
  awaitable<Upcoming> operator()(Authorization token, Name name, QueryOf<LimitQuery> in,
                                 Database& db) const {
    door->check(token);
    co_return co_await schedule::next_slots(db, *name, static_cast<std::size_t>(in->limit));
  }
};

struct NextOfAll {
  SharedDoor door;
  awaitable<Upcoming> operator()(Authorization token, QueryOf<LimitQuery> in, Database& db) const {
    door->check(token);
    co_return co_await schedule::next_slots(db, std::nullopt, static_cast<std::size_t>(in->limit));
  }
};

struct History {
  SharedDoor door;
  awaitable<std::vector<RunInfo>> operator()(Authorization token, Name name, QueryOf<LimitQuery> in,
                                             Database& db) const {
    door->check(token);
    Store store(db, {});
    co_return co_await schedule::history(store, *name, in->limit);
  }
};

struct HistoryOfAll {
  SharedDoor door;
  awaitable<std::vector<RunInfo>> operator()(Authorization token, QueryOf<LimitQuery> in,
                                             Database& db) const {
    door->check(token);
    Store store(db, {});
    co_return co_await schedule::history(store, std::nullopt, in->limit);
  }
};

struct Create {
  SharedDoor door;
  Kinds kinds;
  awaitable<Created<ScheduleInfo>> operator()(Authorization token, Body<ScheduleSpec> in,
                                              Database& db) const {
    door->check(token);
    Store store(db, kinds);
    co_return co_await schedule::create(store, *in);
  }
};

struct Erase {
  SharedDoor door;
  awaitable<void> operator()(Authorization token, Name name, Database& db) const {
    door->check(token);
    co_await schedule::erase(db, *name);
  }
};

struct Run {
  SharedDoor door;
  Kinds kinds;
  awaitable<RunStarted> operator()(Authorization token, Name name, Database& db) const {
    door->check(token);
    Store store(db, kinds);
    co_return RunStarted{co_await schedule::run_now(store, *name)};
  }
};

struct Pause {
  SharedDoor door;
  bool paused;
  awaitable<void> operator()(Authorization token, Name name, Database& db) const {
    door->check(token);
    Store store(db, {});
    co_await (paused ? schedule::pause(store, *name) : schedule::resume(store, *name));
  }
};

}  // namespace

void add_schedules_routes(Router& router, Secret<std::string> token, Kinds kinds) {
  const auto door = std::make_shared<const Door>(std::move(token), "Schedules");
  const auto add = [](Endpoint& endpoint, std::string summary) {
    endpoint.summary(std::move(summary)).tag("schedules");
  };
  add(router.get("/schedules", List{door}), "List schedules, by name");
  add(router.post("/schedules", Create{door, kinds}), "Create a schedule");
  add(router.get("/schedules/next", NextOfAll{door}), "The next slots of all schedules");
  add(router.get("/schedules/history", HistoryOfAll{door}), "The runs of all, the newest first");
  add(router.get("/schedules/{name}", Show{door}), "Show a schedule");
  add(router.del("/schedules/{name}", Erase{door}), "Delete a schedule that was created so");
  add(router.get("/schedules/{name}/next", NextOfOne{door}), "Its next slots");
  add(router.get("/schedules/{name}/history", History{door}), "Its runs, the newest first");
  add(router.post("/schedules/{name}/run", Run{door, kinds}), "Run it now, besides its slots");
  add(router.post("/schedules/{name}/pause", Pause{door, true}), "Let its slots pass");
  add(router.post("/schedules/{name}/resume", Pause{door, false}), "Fire it again");
}

}  // namespace aegis
