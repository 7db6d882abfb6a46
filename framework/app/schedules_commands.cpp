#include "app/schedules_commands.h"

#include <fmt/format.h>

#include "aegis/core/json.h"
#include "app/ask.h"
#include "app/cli.h"
#include "core/describe/text.h"

namespace aegis::commands {
namespace {

using schedule::RunInfo, schedule::ScheduleInfo, schedule::Store, schedule::Upcoming;

std::string moment(const std::optional<Timestamp>& at) {
  return at ? brief(*at) : "";
}

std::string took(const RunInfo& run) {
  if (!run.started_at || !run.finished_at) return "";
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(*run.finished_at - *run.started_at);
  return fmt::format("{:.1f} s", static_cast<double>(ms.count()) / 1000);
}

void print_field(std::string_view name, std::string_view value) {
  if (!value.empty()) fmt::print("{:<10} {}\n", name, value);
}

}  // namespace

int schedules_list(const Settings& settings, bool json) {
  const auto found =
      ask<std::vector<ScheduleInfo>>(settings, [](Database& db) { return schedule::list(db); });
  if (json) {
    fmt::print("{}\n", to_json(found));
    return exit_ok;
  }
  if (found.empty()) fmt::print("No schedules.\n");
  if (!found.empty()) {
    fmt::print("{:<24} {:<8} {:<24} {:<16} {:<24} {}\n", "NAME", "STATE", "WHEN", "ZONE", "JOB",
               "NEXT (UTC)");
  }
  for (const auto& one : found) {
    fmt::print("{:<24} {:<8} {:<24} {:<16} {:<24} {}\n", brief(one.name, 24), one.state,
               brief(one.timing, 24), brief(one.zone, 16), brief(one.kind, 24), moment(one.next));
  }
  return exit_ok;
}

int schedules_show(const Settings& settings, const std::string& name, bool json) {
  return answer([&] {
    std::vector<RunInfo> runs;
    const auto one = ask<ScheduleInfo>(settings, [&](Database& db) -> awaitable<ScheduleInfo> {
      Store store(db, {});
      runs = co_await store.history(name, 5);
      co_return co_await schedule::show(db, name);
    });
    if (json) {
      fmt::print("{}\n", to_json(one));
      return exit_ok;
    }
    print_field("schedule", one.name);
    print_field("state", one.state);
    print_field("when", fmt::format("{} ({})", one.timing, one.zone));
    print_field("job", fmt::format("{} {}", one.kind, one.arguments));
    print_field("catch-up", one.catch_up == "all" ? fmt::format("all, up to {}", one.catch_up_most)
                                                  : one.catch_up);
    print_field("overlap", one.overlap);
    if (one.jitter.count() > 0) print_field("jitter", aegis::detail::write_duration(one.jitter));
    print_field("starts", moment(one.starts_at));
    print_field("ends", moment(one.ends_at));
    print_field("made by", one.declared ? "the code" : "hand");
    print_field("paused", moment(one.paused_at));
    print_field("next", moment(one.next));
    print_field("problem", one.problem.value_or(""));
    for (const auto& run : runs) {
      print_field("run", fmt::format("{} {} {} {}", brief(run.slot), run.how,
                                     run.outcome.value_or(""), took(run)));
    }
    return exit_ok;
  });
}

int schedules_next(const Settings& settings, const std::optional<std::string>& name, int count,
                   bool json) {
  return answer([&] {
    const auto found = ask<Upcoming>(settings, [&](Database& db) {
      return schedule::next_slots(db, name, static_cast<std::size_t>(count));
    });
    if (json) {
      fmt::print("{}\n", to_json(found));
      return exit_ok;
    }
    if (found.slots.empty() && found.without.empty()) fmt::print("No slots to come.\n");
    for (const auto& next : found.slots) fmt::print("{}  {}\n", brief(next.slot), next.schedule);
    for (const auto& none : found.without) fmt::print("{} {}\n", none.schedule, none.why);
    return exit_ok;
  });
}

int schedules_history(const Settings& settings, const std::optional<std::string>& name,
                      std::int64_t limit, bool json) {
  return answer([&] {
    const auto found =
        ask<std::vector<RunInfo>>(settings, [&](Database& db) -> awaitable<std::vector<RunInfo>> {
          Store store(db, {});
          co_return co_await schedule::history(store, name, limit);
        });
    if (json) {
      fmt::print("{}\n", to_json(found));
      return exit_ok;
    }
    if (found.empty()) fmt::print("No runs.\n");
    if (!found.empty()) {
      fmt::print("{:<19}  {:<24} {:<8} {:<10} {:>8} {:>8}  {}\n", "SLOT (UTC)", "SCHEDULE", "HOW",
                 "OUTCOME", "TOOK", "JOB", "ERROR");
    }
    for (const auto& run : found) {
      fmt::print("{:<19}  {:<24} {:<8} {:<10} {:>8} {:>8}  {}\n", brief(run.slot),
                 brief(run.schedule, 24), run.how, run.outcome.value_or(""), took(run),
                 run.job_id ? std::to_string(*run.job_id) : "", brief(run.error.value_or(""), 60));
    }
    return exit_ok;
  });
}

int schedules_create(const App::Parts& parts, const Settings& settings, const ScheduleSpec& spec) {
  return answer([&] {
    const auto made = ask<ScheduleInfo>(settings, [&](Database& db) -> awaitable<ScheduleInfo> {
      Store store(db, parts.jobs);
      co_return co_await schedule::create(store, spec);
    });
    fmt::print("{}: next {}\n", made.name, made.next ? brief(*made.next) + " UTC" : "never");
    return exit_ok;
  });
}

int schedules_delete(const Settings& settings, const std::string& name) {
  return answer([&] {
    with_database(database_options(settings),
                  [&](Runtime&, Database& db) { return schedule::erase(db, name); });
    fmt::print("{} is deleted\n", name);
    return exit_ok;
  });
}

int schedules_run(const App::Parts& parts, const Settings& settings, const std::string& name) {
  return answer([&] {
    const auto job = ask<std::int64_t>(settings, [&](Database& db) -> awaitable<std::int64_t> {
      Store store(db, parts.jobs);
      co_return co_await schedule::run_now(store, name);
    });
    fmt::print("{}: job {}\n", name, job);
    return exit_ok;
  });
}

int schedules_pause(const Settings& settings, const std::string& name, bool paused) {
  return answer([&] {
    with_database(database_options(settings), [&](Runtime&, Database& db) -> awaitable<void> {
      Store store(db, {});
      co_await (paused ? schedule::pause(store, name) : schedule::resume(store, name));
    });
    fmt::print("{} is {}\n", name, paused ? "paused" : "not paused");
    return exit_ok;
  });
}

}  // namespace aegis::commands
