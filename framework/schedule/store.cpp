#include "schedule/store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "aegis/core/log.h"
#include "jobs/store.h"
#include "schedule/slots.h"
#include "schedule/words.h"

namespace aegis::schedule {

using jobs::rows;

ScheduleSpec spec_of(const ScheduleRow& row) {
  return {.name = row.name,
          .kind = row.kind,
          .arguments = row.arguments,
          .timing = row.timing,
          .zone = row.zone,
          .catch_up = row.catch_up,
          .catch_up_most = row.catch_up_most,
          .overlap = row.overlap,
          .jitter = row.jitter,
          .starts_at = row.starts_at,
          .ends_at = row.ends_at};
}

void set_spec(ScheduleRow& row, const ScheduleSpec& spec) {
  row.name = spec.name;
  row.kind = spec.kind;
  row.arguments = spec.arguments;
  row.timing = spec.timing;
  row.zone = spec.zone;
  row.catch_up = spec.catch_up;
  row.catch_up_most = spec.catch_up_most;
  row.overlap = spec.overlap;
  row.jitter = spec.jitter;
  row.starts_at = spec.starts_at;
  row.ends_at = spec.ends_at;
}

void check_arguments(const JobKind& kind, const std::string& arguments) {
  const auto job = kind.make();
  read_json(arguments, kind.arguments, job.get()).raise();
}

void set_next(ScheduleRow& row, Timestamp after) {
  const Slots slots(spec_of(row), row.created_at);
  row.slot = slots.next(after);
  row.due_at = row.slot ? std::optional(slots.due(*row.slot)) : std::nullopt;
}

Store::Store(Database& database, std::vector<const JobKind*> kinds)
    : database_(&database), kinds_(std::move(kinds)) {
  db::Driver& driver = database.begin().driver();
  sql_ = &statements(driver.dialect().id());
  hub_ = jobs::Hub::of(driver);
  std::vector<std::string> names;
  for (const JobKind* kind : kinds_) names.emplace_back(kind->name);
  kinds_json_ = to_json(names);
}

const JobKind& Store::kind(std::string_view name) const {
  const auto found = std::ranges::find(kinds_, name, &JobKind::name);
  if (found != kinds_.end()) return **found;
  std::vector<std::string_view> names;
  for (const JobKind* kind : kinds_) names.push_back(kind->name);
  throw Error(Errc::invalid,
              fmt::format("There are no jobs of the kind \"{}\"; those of this application are {}.",
                          name, fmt::join(names, ", ")));
}

awaitable<Timestamp> Store::time(Session& session) const {
  const std::array<Cell, 1> values{now()};
  const auto found = co_await rows<Timestamp>(session, sql_->time, values, false);
  co_return found.at(0);
}

namespace {

bool differ_in_time(const ScheduleSpec& a, const ScheduleSpec& b) {
  return a.timing != b.timing || a.zone != b.zone || a.jitter != b.jitter ||
         a.starts_at != b.starts_at || a.ends_at != b.ends_at;
}

}  // namespace

awaitable<void> Store::reconcile(const std::vector<Schedules::Declared>& declared) {
  std::vector<std::pair<std::string, std::string>> done;  // what happened to which
  auto body = [&](Session& s) -> awaitable<void> {
    done.clear();  // a body may run again
    const Timestamp now = co_await time(s);
    auto known = co_await s.select<ScheduleRow>()
                     .where(ScheduleRow::col.declared == true)
                     .order_by(ScheduleRow::col.name.asc())
                     .for_update()
                     .all();
    for (const auto& one : declared) {
      const auto row = std::ranges::find(known, one.spec.name, &ScheduleRow::name);
      std::optional<ScheduleRow> before;
      if (row != known.end()) {
        before = std::move(*row);
        known.erase(row);
      } else {
        before = co_await s.find<ScheduleRow>(one.spec.name);
        if (before) {
          done.emplace_back("cannot be declared: one was created at run time under this name",
                            one.spec.name);
          continue;
        }
      }
      const bool is_new = !before;
      const bool changed = co_await reconcile_one(s, one.spec, std::move(before), now);
      if (changed) done.emplace_back(is_new ? "added" : "changed", one.spec.name);
    }
    for (ScheduleRow& row : known) {
      if (row.retired_at) continue;
      row.retired_at = now;
      row.slot = row.due_at = std::nullopt;
      co_await s.update(row);
      done.emplace_back("retired: the code no longer declares it", row.name);
    }
    if (!done.empty()) s.notify(std::string(news_channel));
  };
  for (int round = 0;; ++round) {
    try {
      co_await database_->session(body);
      break;
    } catch (const Error& error) {
      // Another scheduler starts at the same time and was quicker to add the same ones.
      if (error.code() != Errc::conflict || round == 10) throw;
    }
  }
  for (const auto& [what, name] : done) log::info("schedule", "name", name, "is", what);
}

awaitable<bool> Store::reconcile_one(Session& s, const ScheduleSpec& spec,
                                     std::optional<ScheduleRow> known, Timestamp now) {
  ScheduleRow row = known ? *known : ScheduleRow{.declared = true, .created_at = now};
  const ScheduleSpec before = spec_of(row);
  const bool same = known && to_json(before) == to_json(spec);
  if (same && !row.retired_at) co_return false;
  set_spec(row, spec);
  // A slot that is due is fired yet.
  const bool is_due = row.slot && *row.slot <= now && !row.paused_at;
  if (!known || row.retired_at || (differ_in_time(before, spec) && !is_due)) set_next(row, now);
  row.retired_at.reset();
  if (known) {
    co_await s.update(row);
  } else {
    co_await s.insert(row);
  }
  co_return true;
}

// Firing.

/// A schedule that is due, as Statements::due answers it.
struct Store::Due {
  std::string name{};
  std::string kind{};
  std::string arguments{};
  std::string timing{};
  std::string zone{};
  std::string catch_up{};
  std::int32_t catch_up_most{};
  std::string overlap{};
  std::chrono::milliseconds jitter{};
  std::optional<Timestamp> starts_at{};
  std::optional<Timestamp> ends_at{};
  Timestamp created_at{};
  Timestamp slot{};
  Timestamp fired_at{};

  AEGIS_FIELDS(Due, (name), (kind), (arguments), (timing), (zone), (catch_up), (catch_up_most),
               (overlap), (jitter), (starts_at), (ends_at), (created_at), (slot), (fired_at))

  /// Throws Error(invalid).
  Slots slots() const { return {name, timing, zone, jitter, starts_at, ends_at, created_at}; }
};

/// A run that is to have a job.
struct Store::Firing {
  const Due* schedule;
  Timestamp slot;
  std::int64_t run = 0;  ///< 0: there was one for this slot already
  std::int64_t job = 0;
};

namespace {

struct NewRun {
  std::int64_t id{};
  std::string schedule{};
  Timestamp slot{};

  AEGIS_FIELDS(NewRun, (id), (schedule), (slot))
};

struct OpenJob {
  std::string schedule{};
  std::int64_t job{};

  AEGIS_FIELDS(OpenJob, (schedule), (job))
};

/// A job of this kind. One whose arguments cannot be read fails by itself, and says why.
aegis::detail::JobText job_text(const JobKind& kind, const std::string& arguments) {
  aegis::detail::JobText text{.arguments = arguments};
  const auto job = kind.make();
  const auto problems = read_json(arguments, kind.arguments, job.get());
  if (!problems.syntax.empty()) {
    text.arguments.clear();
    append_json(std::string_view(arguments), text.arguments);
  }
  if (problems.none()) text.limit_key = kind.limit_key(job.get());
  return text;
}

constexpr std::size_t most_runs = 5'000;  // in a transaction, so that catching up is not too long

/// The elements of a JSON array in text.
class JsonRows {
 public:
  void add(const auto&... values) {
    text_ += text_.size() > 1 ? ",[" : "[";
    bool first = true;
    const auto append = [&](const auto& value) {
      if (!std::exchange(first, false)) text_ += ',';
      using T = std::remove_cvref_t<decltype(value)>;
      if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        append_json(std::string_view(value), text_);
      } else {
        append_json(aegis::detail::type_of<T>(), &value, text_);
      }
    };
    (append(values), ...);
    text_ += ']';
    ++count_;
  }
  std::size_t count() const { return count_; }
  std::string end() { return std::move(text_ += ']'); }

 private:
  std::string text_ = "[";
  std::size_t count_ = 0;
};

awaitable<void> write(Session& s, std::string_view sql, std::span<const Cell> values) {
  db::NoRows none;
  co_await s.run({sql, values, true}, none);
}

}  // namespace

awaitable<std::int64_t> Store::fire(std::int64_t limit, std::chrono::milliseconds patience) {
  auto body = [&](Session& s) -> awaitable<std::int64_t> { return fire_due(s, limit, patience); };
  co_return co_await database_->session(body);
}

awaitable<std::int64_t> Store::fire_due(Session& s, std::int64_t limit,
                                        std::chrono::milliseconds patience) {
  const std::array<Cell, 3> which{now(), kinds_json_, limit};
  const auto due = co_await rows<Due>(s, sql_->due, which);
  if (due.empty()) co_return 0;
  const Timestamp fired_at = due.front().fired_at;

  std::vector<std::string> careful;
  for (const Due& one : due) {
    if (one.overlap == to_text(Overlap::skip)) careful.push_back(one.name);
  }
  std::vector<OpenJob> open;
  if (!careful.empty()) {
    const std::string names = to_json(careful);
    const std::array<Cell, 1> values{names};
    open = co_await rows<OpenJob>(s, sql_->open_jobs, values);
  }

  std::vector<Firing> firings;
  JsonRows runs, next;
  for (const Due& one : due) {
    std::optional<Slots> slots;
    try {
      slots.emplace(one.slots());
    } catch (const Error& error) {  // written by somebody else: it must not hold up the others
      log::error("a schedule cannot be read, and is looked at again in an hour", "name", one.name,
                 "error", error.what());
    }
    if (!slots) {
      next.add(one.name, one.slot, std::optional(fired_at + std::chrono::hours(1)));
      continue;
    }
    const auto plan = slots->plan(one.slot, fired_at, patience, one.catch_up, one.catch_up_most);
    bool busy = std::ranges::find(open, one.name, &OpenJob::schedule) != open.end();
    for (const auto& run : plan.runs) {
      const bool skipped = one.overlap == to_text(Overlap::skip) && std::exchange(busy, true);
      runs.add(one.name, run.slot, run.catch_up ? caught_up : on_time,
               skipped ? std::optional<std::string>("skipped") : std::nullopt);
      if (!skipped) firings.push_back({.schedule = &one, .slot = run.slot});
    }
    next.add(one.name, plan.next, plan.next ? std::optional(slots->due(*plan.next)) : std::nullopt);
    if (runs.count() >= most_runs) break;
  }
  const auto looked_at = static_cast<std::int64_t>(next.count());

  const std::string advanced = next.end();
  const std::array<Cell, 1> advance{advanced};
  co_await write(s, sql_->advance, advance);
  if (runs.count() > 0) {
    const std::string given = runs.end();
    const std::array<Cell, 2> values{now(), given};
    // A slot that has a run already (a clock was set back) gets no second one.
    using Slot = std::pair<std::string_view, Timestamp>;
    std::map<Slot, std::int64_t> ids;
    const auto fresh = co_await rows<NewRun>(s, sql_->insert_runs, values);
    for (const NewRun& run : fresh) ids.emplace(Slot(run.schedule, run.slot), run.id);
    std::erase_if(firings, [&](Firing& firing) {
      const auto id = ids.find({firing.schedule->name, firing.slot});
      if (id == ids.end()) return true;
      firing.run = id->second;
      return false;
    });
    co_await enqueue(s, firings);
  }
  co_return looked_at;
}

/// Enqueues the jobs of all, those of one kind together where they may be.
awaitable<void> Store::enqueue(Session& s, std::vector<Firing>& firings) {
  std::map<const JobKind*, std::vector<Firing*>> together;
  JsonRows started;
  for (Firing& firing : firings) {
    const Due& of = *firing.schedule;
    const JobKind& job_kind = kind(of.kind);
    const bool queued = of.overlap == to_text(Overlap::queue);
    if (!queued && job_kind.options.unique.by == UniqueBy::nothing) {
      together[&job_kind].push_back(&firing);
      continue;
    }
    EnqueueOptions options{.tags = {tag_of(of.name)}};
    if (queued) {
      const std::string names = to_json(std::vector<std::string>{of.name});
      const std::array<Cell, 1> values{names};
      for (const auto& before : co_await rows<OpenJob>(s, sql_->open_jobs, values)) {
        options.after.push_back(before.job);
      }
      options.after_failure = AfterFailure::run;
    }
    const auto text = job_text(job_kind, of.arguments);
    firing.job = (co_await aegis::detail::enqueue(s, job_kind, text, options)).id;
    // At once: the next slot of the same schedule is to see it.
    JsonRows one;
    one.add(firing.run, firing.job);
    const std::string pair = one.end();
    const std::array<Cell, 1> values{pair};
    co_await write(s, sql_->set_jobs, values);
  }
  for (const auto& [job_kind, some] : together) {
    std::vector<aegis::detail::JobText> texts;
    std::vector<std::string> tags;
    for (const Firing* firing : some) {
      texts.push_back(job_text(*job_kind, firing->schedule->arguments));
      tags.push_back(tag_of(firing->schedule->name));
    }
    const auto jobs =
        co_await aegis::detail::enqueue_tagged(s, *job_kind, std::move(texts), std::move(tags));
    for (std::size_t i = 0; i < some.size(); ++i) started.add(some[i]->run, jobs.at(i));
  }
  if (started.count() == 0) co_return;
  const std::string pairs = started.end();
  const std::array<Cell, 1> values{pairs};
  co_await write(s, sql_->set_jobs, values);
}

awaitable<std::optional<std::int64_t>> Store::next_due() {
  const std::array<Cell, 2> values{now(), kinds_json_};
  auto body = [&](Session& s) -> awaitable<std::vector<std::optional<std::int64_t>>> {
    return rows<std::optional<std::int64_t>>(s, sql_->next_due, values, false);
  };
  const auto found = co_await database_->session({.read_only = true}, body);
  co_return found.empty() ? std::nullopt : found.front();
}

awaitable<std::int64_t> Store::run_now(std::string name) {
  auto body = [&](Session& s) -> awaitable<std::int64_t> {
    const ScheduleRow row = co_await s.get_for_update<ScheduleRow>(name);
    const JobKind& job_kind = kind(row.kind);
    Timestamp slot = co_await time(s);
    // Whole seconds are for its own slots.
    if (slot == std::chrono::floor<std::chrono::seconds>(slot))
      slot += std::chrono::milliseconds(1);
    std::vector<NewRun> fresh;
    for (; fresh.empty(); slot += std::chrono::microseconds(1)) {
      JsonRows run;
      run.add(name, slot, by_hand, std::optional<std::string>());
      const std::string given = run.end();
      const std::array<Cell, 2> values{now(), given};
      fresh = co_await rows<NewRun>(s, sql_->insert_runs, values);
    }
    const EnqueueOptions options{.tags = {tag_of(name)}};
    const auto done =
        co_await aegis::detail::enqueue(s, job_kind, job_text(job_kind, row.arguments), options);
    JsonRows started;
    started.add(fresh.front().id, done.id);
    const std::string pairs = started.end();
    const std::array<Cell, 1> values{pairs};
    co_await write(s, sql_->set_jobs, values);
    co_return done.id;
  };
  co_return co_await database_->session(body);
}

// Runs afterwards.

awaitable<void> Store::settle() {
  auto look = [&](Session& s) -> awaitable<bool> {
    co_return !(co_await rows<std::int64_t>(s, sql_->any_open, {}, false)).empty();
  };
  const bool any = co_await database_->session({.read_only = true}, look);
  if (!any) co_return;
  std::int64_t settled = 0;
  auto body = [&](Session& s) -> awaitable<void> {
    db::NoRows none;
    settled = (co_await s.run({sql_->settle, {}, true}, none)).affected;
  };
  do {
    co_await database_->session(body);
  } while (settled == 1'000);
  const std::array<Cell, 1> values{now()};
  auto rest = [&](Session& s) -> awaitable<void> { co_await write(s, sql_->give_up, values); };
  co_await database_->session(rest);
}

awaitable<std::int64_t> Store::prune(std::chrono::milliseconds age, std::int64_t limit) {
  const std::array<Cell, 3> values{now(), std::int64_t{age.count()}, limit};
  std::int64_t gone = 0;
  auto body = [&](Session& s) -> awaitable<void> {
    db::NoRows none;
    gone = (co_await s.run({sql_->prune, values, true}, none)).affected;
  };
  co_await database_->session(body);
  co_return gone;
}

awaitable<std::optional<ScheduledRun>> Store::run_of(std::int64_t job) {
  const std::array<Cell, 1> values{job};
  auto body = [&](Session& s) -> awaitable<std::vector<ScheduledRun>> {
    return rows<ScheduledRun>(s, sql_->run_of, values, false);
  };
  auto found = co_await database_->session({.read_only = true}, body);
  if (found.empty()) co_return std::nullopt;
  co_return std::move(found.front());
}

awaitable<std::vector<RunInfo>> Store::history(std::optional<std::string> name,
                                               std::int64_t limit) {
  auto body = [&](Session& s) -> awaitable<std::vector<RunInfo>> {
    if (!name) {
      const std::array<Cell, 1> values{limit};
      co_return co_await rows<RunInfo>(s, sql_->history, values, false);
    }
    const std::array<Cell, 2> values{std::string_view(*name), limit};
    co_return co_await rows<RunInfo>(s, sql_->history_of_one, values, false);
  };
  co_return co_await database_->session({.read_only = true}, body);
}

awaitable<std::vector<Late>> Store::late(std::chrono::milliseconds by) {
  const std::array<Cell, 2> values{now(), std::int64_t{by.count()}};
  auto body = [&](Session& s) -> awaitable<std::vector<Late>> {
    return rows<Late>(s, sql_->late, values, false);
  };
  co_return co_await database_->session({.read_only = true}, body);
}

awaitable<Counts> Store::counts() {
  auto body = [&](Session& s) -> awaitable<std::vector<Counts>> {
    return rows<Counts>(s, sql_->counts, {}, false);
  };
  co_return (co_await database_->session({.read_only = true}, body)).at(0);
}

}  // namespace aegis::schedule
