#include "app/jobs_routes.h"

#include <fmt/format.h>

#include "aegis/app/session.h"
#include "aegis/db/database.h"
#include "app/door.h"
#include "jobs/admin.h"

namespace aegis {
namespace {

#define AEGIS_JOB_STATES                                                                        \
  one_of("available", "scheduled", "retryable", "blocked", "running", "completed", "cancelled", \
         "dead")

struct JobList {
  std::optional<std::string> state{};
  std::optional<std::string> kind{};
  std::optional<std::string> queue{};
  std::optional<std::string> tag{};
  int limit = 50;
  std::optional<std::int64_t> after{};

  AEGIS_FIELDS(JobList, (state, AEGIS_JOB_STATES), (kind), (queue), (tag), (limit, ge(1), le(200)),
               (after, doc("The `next` of the page before.")))
};

struct JobChoice {
  std::optional<std::string> state{};
  std::optional<std::string> kind{};
  std::optional<std::string> queue{};
  std::optional<std::string> tag{};

  AEGIS_FIELDS(JobChoice, (state, AEGIS_JOB_STATES), (kind), (queue), (tag))
};

/// One of both.
struct NewTime {
  std::optional<Timestamp> at{};
  std::optional<std::chrono::milliseconds> in{};

  AEGIS_FIELDS(NewTime, (at), (in, doc("From now, such as 10m.")))
};

struct Rescheduling {
  std::optional<std::string> state{};
  std::optional<std::string> kind{};
  std::optional<std::string> queue{};
  std::optional<std::string> tag{};
  std::optional<Timestamp> at{};
  std::optional<std::chrono::milliseconds> in{};

  AEGIS_FIELDS(Rescheduling, (state, AEGIS_JOB_STATES), (kind), (queue), (tag), (at),
               (in, doc("From now, such as 10m.")))
};

struct JobDetails {
  jobs::JobInfo job{};
  std::vector<std::string> log{};

  AEGIS_FIELDS(JobDetails, (job), (log))
};

struct Changed {
  std::int64_t changed = 0;

  AEGIS_FIELDS(Changed, (changed))
};

jobs::JobFilter filter_of(const auto& in) {
  return {.state = in.state, .kind = in.kind, .queue = in.queue, .tag = in.tag};
}

jobs::When when_of(const auto& in) {
  if (in.at.has_value() == in.in.has_value()) {
    throw ValidationError({{"", "say when: `at` a moment, or `in` a while"}});
  }
  return {.at = in.at, .delay = in.in.value_or(std::chrono::milliseconds{})};
}

void check_says_something(const jobs::JobFilter& filter) {
  if (!filter.everything()) return;
  throw ValidationError({{"", "say which jobs: by state, kind, queue or tag"}});
}

struct List {
  SharedDoor door;
  awaitable<Page<jobs::JobInfo>> operator()(Authorization token, QueryOf<JobList> in,
                                            Database& db) const {
    door->check(token);
    auto filter = filter_of(*in);
    filter.below = in->after;
    Page<jobs::JobInfo> page;
    page.items = co_await jobs::list(db, filter, in->limit + 1);
    if (std::ssize(page.items) > in->limit) {
      page.items.pop_back();
      page.next = std::to_string(page.items.back().id);
    }
    co_return page;
  }
};

awaitable<jobs::JobInfo> get(Database& db, std::int64_t id) {
  auto found = co_await jobs::list(db, {.id = id}, 1);
  if (found.empty()) throw Error(Errc::not_found, fmt::format("There is no job {}.", id));
  co_return std::move(found.front());
}

struct Show {
  SharedDoor door;
  awaitable<JobDetails> operator()(Authorization token, Path<"id", std::int64_t> id,
                                   Database& db) const {
    door->check(token);
    JobDetails details;
    details.job = co_await get(db, id);
    details.log = co_await jobs::lines(db, id);
    co_return details;
  }
};

/// Does it to one job; what the job's state does not allow is a conflict.
awaitable<Changed> change_one(Database& db, std::int64_t id, jobs::JobAction action,
                              std::string_view what, jobs::When when = {}) {
  const std::int64_t changed = co_await jobs::change(db, action, {.id = id}, nullptr, when);
  if (changed == 0) {
    const auto job = co_await get(db, id);
    throw Error(Errc::conflict,
                fmt::format("Job {} is {} and cannot be {}.", job.id, job.state, what));
  }
  co_return Changed{changed};
}

struct ChangeOne {
  SharedDoor door;
  jobs::JobAction action;
  std::string_view what;
  awaitable<Changed> operator()(Authorization token, Path<"id", std::int64_t> id,
                                Database& db) const {
    door->check(token);
    co_return co_await change_one(db, id, action, what);
  }
};

struct RescheduleOne {
  SharedDoor door;
  awaitable<Changed> operator()(Authorization token, Path<"id", std::int64_t> id, Body<NewTime> in,
                                Database& db) const {
    door->check(token);
    co_return co_await change_one(db, id, jobs::JobAction::reschedule, "rescheduled", when_of(*in));
  }
};

struct ChangeMany {
  SharedDoor door;
  jobs::JobAction action;
  awaitable<Changed> operator()(Authorization token, Body<JobChoice> in, Database& db) const {
    door->check(token);
    const auto filter = filter_of(*in);
    check_says_something(filter);
    co_return Changed{co_await jobs::change(db, action, filter)};
  }
};

struct RescheduleMany {
  SharedDoor door;
  awaitable<Changed> operator()(Authorization token, Body<Rescheduling> in, Database& db) const {
    door->check(token);
    const auto filter = filter_of(*in);
    check_says_something(filter);
    const auto when = when_of(*in);
    co_return Changed{
        co_await jobs::change(db, jobs::JobAction::reschedule, filter, nullptr, when)};
  }
};

struct ListQueues {
  SharedDoor door;
  awaitable<jobs::Overview> operator()(Authorization token, Database& db) const {
    door->check(token);
    jobs::Store store(db);
    co_return co_await store.overview();
  }
};

struct PauseQueue {
  SharedDoor door;
  bool paused;
  awaitable<void> operator()(Authorization token, Path<"name", std::string> name,
                             Database& db) const {
    door->check(token);
    co_await (paused ? jobs::pause(db, name) : jobs::resume(db, name));
  }
};

}  // namespace

void add_jobs_routes(Router& router, Secret<std::string> token) {
  using enum jobs::JobAction;
  const auto door = std::make_shared<const Door>(std::move(token), "Jobs and queues");
  const auto add = [](Endpoint& endpoint, std::string summary) {
    endpoint.summary(std::move(summary)).tag("jobs");
  };
  add(router.get("/jobs", List{door}), "List jobs, the newest first");
  add(router.get("/jobs/{id}", Show{door}), "Show a job and what it logged");
  add(router.post("/jobs/{id}/retry", ChangeOne{door, retry, "retried"}), "Run a job again");
  add(router.post("/jobs/{id}/cancel", ChangeOne{door, cancel, "cancelled"}), "Cancel a job");
  add(router.post("/jobs/{id}/reschedule", RescheduleOne{door}), "Give a job another time");
  add(router.del("/jobs/{id}", ChangeOne{door, erase, "deleted"}), "Delete a job");
  add(router.post("/jobs/retry", ChangeMany{door, retry}), "Run many jobs again");
  add(router.post("/jobs/cancel", ChangeMany{door, cancel}), "Cancel many jobs");
  add(router.post("/jobs/reschedule", RescheduleMany{door}), "Give many jobs another time");
  add(router.post("/jobs/delete", ChangeMany{door, erase}), "Delete many jobs");
  add(router.get("/queues", ListQueues{door}), "Workers, and what waits in each queue");
  add(router.post("/queues/{name}/pause", PauseQueue{door, true}), "Start no more jobs of a queue");
  add(router.post("/queues/{name}/resume", PauseQueue{door, false}),
      "Start the jobs of a queue again");
}

}  // namespace aegis
