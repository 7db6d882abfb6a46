#include "schedule/store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "aegis/core/log.h"
#include "jobs/enqueue.h"
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
  row.slot = slots.next(row.pruned_slot ? std::max(after, *row.pruned_slot) : after);
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

/// How the database differs from the code.
struct Difference {
  std::vector<ScheduleRow> added{}, changed{};
  std::vector<std::pair<std::string, std::string>> notes{};  ///< which, and what happens to it

  bool none() const { return added.empty() && changed.empty(); }
};

/// Makes `row` what the code says; false: it is.
bool bring_to(ScheduleRow& row, const ScheduleSpec& spec, Timestamp now) {
  const ScheduleSpec before = spec_of(row);
  if (before == spec && !row.retired_at) return false;
  set_spec(row, spec);
  // A slot that is due is fired yet.
  const bool is_due = row.slot && *row.slot <= now && !row.paused_at;
  if (row.retired_at || (differ_in_time(before, spec) && !is_due)) set_next(row, now);
  row.retired_at.reset();
  return true;
}

Difference difference(const std::vector<Schedules::Declared>& declared,
                      std::vector<ScheduleRow> there, Timestamp now) {
  Difference found;
  std::unordered_map<std::string, ScheduleRow*> known;
  for (ScheduleRow& row : there) known.emplace(row.name, &row);
  for (const auto& [spec, kind] : declared) {
    const auto at = known.find(spec.name);
    if (at == known.end()) {
      ScheduleRow row{.declared = true, .created_at = now};
      set_spec(row, spec);
      set_next(row, now);
      found.added.push_back(std::move(row));
      found.notes.emplace_back(spec.name, "added");
    } else if (!at->second->declared) {
      found.notes.emplace_back(spec.name,
                               "cannot be declared: one was created at run time under this name");
    } else if (bring_to(*at->second, spec, now)) {
      found.changed.push_back(*at->second);
      found.notes.emplace_back(spec.name, "changed");
    }
    if (at != known.end()) known.erase(at);
  }
  for (const auto& [name, row] : known) {
    if (!row->declared || row->retired_at) continue;
    row->retired_at = now;
    row->slot = row->due_at = std::nullopt;
    found.changed.push_back(*row);
    found.notes.emplace_back(name, "retired: the code no longer declares it");
  }
  std::ranges::sort(found.changed, {}, &ScheduleRow::name);  // all lock them in this order
  return found;
}

}  // namespace

awaitable<void> Store::reconcile(const std::vector<Schedules::Declared>& declared) {
  Difference found;
  auto look = [&](Session& s) -> awaitable<void> {
    const Timestamp now = co_await time(s);
    found = difference(declared, co_await s.select<ScheduleRow>().all(), now);
  };
  auto change = [&](Session& s) -> awaitable<void> {
    const Timestamp now = co_await time(s);
    auto rows =
        co_await s.select<ScheduleRow>().order_by(ScheduleRow::col.name.asc()).for_update().all();
    found = difference(declared, std::move(rows), now);
    for (ScheduleRow& row : found.changed) co_await s.update(row);
    co_await s.insert_all(found.added);
    if (!found.none()) s.notify(std::string(news_channel));
  };
  for (int round = 0;; ++round) {
    try {
      co_await database_->session({.read_only = true}, look);
      if (!found.none()) co_await database_->session(change);
      break;
    } catch (const Error& error) {
      // Another scheduler starts at the same time and was quicker to add the same ones.
      if (error.code() != Errc::conflict || round == 10) throw;
    }
  }
  for (const auto& [name, what] : found.notes) log::info("schedule", "name", name, "is", what);
}

namespace {

/// Whether the next slot was found by a clock that was ahead of `now` by more than `patience`: as
/// long as time only passes, it is never later than the first slot after now.
bool lies_ahead(const ScheduleRow& row, Timestamp now, std::chrono::milliseconds patience) {
  if (row.created_at > now + patience) return true;
  ScheduleRow expected = row;
  try {
    set_next(expected, now + patience);
  } catch (const Error&) {
    return false;  // it cannot be read: fire_due() says so
  }
  return expected.slot && (!row.slot || *row.slot > *expected.slot);
}

}  // namespace

awaitable<void> Store::draw_back(std::chrono::milliseconds patience) {
  const auto active =
      ScheduleRow::col.paused_at == std::nullopt && ScheduleRow::col.retired_at == std::nullopt;
  std::int64_t count = 0;
  auto look = [&](Session& s) -> awaitable<void> {
    const Timestamp now = co_await time(s);
    const auto rows = co_await s.select<ScheduleRow>().where(active).all();
    count = std::ranges::count_if(
        rows, [&](const ScheduleRow& row) { return lies_ahead(row, now, patience); });
  };
  co_await database_->session({.read_only = true}, look);
  if (count == 0) co_return;
  auto change = [&](Session& s) -> awaitable<void> {
    count = 0;
    const Timestamp now = co_await time(s);
    auto rows = co_await s.select<ScheduleRow>()
                    .where(active)
                    .order_by(ScheduleRow::col.name.asc())
                    .for_update()
                    .all();
    for (ScheduleRow& row : rows) {
      if (!lies_ahead(row, now, patience)) continue;
      row.created_at = std::min(row.created_at, now);
      set_next(row, now);
      co_await s.update(row);
      ++count;
    }
  };
  co_await database_->session(change);
  log::warn("the database's time was ahead: the next slots of schedules are looked for anew",
            "schedules", count);
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

/// A run that has not ended, as far as it is known.
struct OpenRun {
  std::string schedule{};
  std::int64_t id{};
  bool ended = false;
  bool lost = false;

  AEGIS_FIELDS(OpenRun, (schedule), (id), (ended), (lost))
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

awaitable<std::int64_t> Store::fire(std::int64_t limit, std::chrono::milliseconds patience,
                                    Timestamp* at) {
  auto body = [&](Session& s) -> awaitable<Fired> { return fire_due(s, limit, patience); };
  const Fired fired = co_await database_->session(body);
  if (at && fired.schedules > 0) *at = fired.at;
  co_await follow_up(fired.open);
  co_return fired.schedules;
}

/// Jobs that new ones wait for may have ended before the others were there to be seen.
awaitable<void> Store::follow_up(const OpenJobs& open) {
  std::vector<std::int64_t> jobs;
  for (const auto& [schedule, its] : open) jobs.insert(jobs.end(), its.begin(), its.end());
  if (jobs.empty()) co_return;
  const std::string list = jobs::json_list(jobs);
  const std::array<Cell, 1> values{list};
  auto look = [&](Session& s) -> awaitable<std::vector<std::int64_t>> {
    return rows<std::int64_t>(s, sql_->ended_jobs, values, false);
  };
  auto ended = co_await database_->session({.read_only = true}, look);
  jobs::Store store(*database_);
  co_await store.follow_up(std::move(ended));
}

awaitable<Store::OpenJobs> Store::open_jobs(Session& s, const std::vector<Due>& due) {
  std::vector<std::string> careful;
  for (const Due& one : due) {
    if (one.overlap != to_text(Overlap::allow)) careful.push_back(one.name);
  }
  OpenJobs open;
  if (careful.empty()) co_return open;
  co_await write(s, sql_->reopen, {});
  const std::string names = to_json(careful);
  const std::array<Cell, 1> values{names};
  for (const OpenJob& one : co_await rows<OpenJob>(s, sql_->open_jobs, values)) {
    open[one.schedule].push_back(one.job);
  }
  co_return open;
}

awaitable<Store::Fired> Store::fire_due(Session& s, std::int64_t limit,
                                        std::chrono::milliseconds patience) {
  const std::array<Cell, 3> which{now(), kinds_json_, limit};
  const auto due = co_await rows<Due>(s, sql_->due, which);
  if (due.empty()) co_return Fired{};
  const Timestamp fired_at = due.front().fired_at;
  OpenJobs open = co_await open_jobs(s, due);

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
    bool busy = open.contains(one.name);
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
    co_await enqueue(s, firings, open);
  }
  co_return Fired{.schedules = looked_at, .at = fired_at, .open = std::move(open)};
}

/// Enqueues the jobs of all, those of one kind together.
awaitable<void> Store::enqueue(Session& s, std::vector<Firing>& firings, const OpenJobs& open) {
  std::map<const JobKind*, std::vector<Firing*>> together;
  for (Firing& firing : firings) together[&kind(firing.schedule->kind)].push_back(&firing);
  JsonRows started;
  for (const auto& [job_kind, some] : together) {
    std::vector<jobs::TaggedJob> batch;
    std::unordered_map<std::string_view, std::size_t> last;  // of each schedule that queues
    for (const Firing* firing : some) {
      const Due& of = *firing->schedule;
      auto& job = batch.emplace_back();
      job.text = job_text(*job_kind, of.arguments);
      job.tag = tag_of(of.name);
      if (of.overlap != to_text(Overlap::queue)) continue;
      const auto [before, is_first] = last.try_emplace(of.name, batch.size() - 1);
      if (is_first) {
        if (const auto its = open.find(of.name); its != open.end()) job.after = its->second;
      } else {
        job.behind = std::exchange(before->second, batch.size() - 1);
      }
    }
    const auto done = co_await jobs::enqueue_tagged(s, *job_kind, std::move(batch));
    for (std::size_t i = 0; i < some.size(); ++i) started.add(some[i]->run, done[i].id);
  }
  if (started.count() == 0) co_return;
  const std::string pairs = started.end();
  const std::array<Cell, 1> values{pairs};
  co_await write(s, sql_->set_jobs, values);
}

awaitable<Outlook> Store::outlook() {
  const std::array<Cell, 2> values{now(), kinds_json_};
  auto body = [&](Session& s) -> awaitable<std::vector<Outlook>> {
    return rows<Outlook>(s, sql_->outlook, values, false);
  };
  co_return (co_await database_->session({.read_only = true}, body)).at(0);
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
  constexpr std::int64_t at_once = 1'000;
  auto reopen = [&](Session& s) -> awaitable<void> { co_await write(s, sql_->reopen, {}); };
  co_await database_->session(reopen);
  for (bool more = true; more;) {
    const std::array<Cell, 4> after{now(), settled_.first, settled_.second, at_once};
    auto look = [&](Session& s) -> awaitable<std::vector<OpenRun>> {
      return rows<OpenRun>(s, sql_->open_runs, after, false);
    };
    auto open = co_await database_->session({.read_only = true}, look);
    std::vector<std::int64_t> ended, lost;
    std::pair<std::string, std::int64_t> last;
    for (OpenRun& run : open) {
      if (run.ended) ended.push_back(run.id);
      if (run.lost) lost.push_back(run.id);
      last = std::max(last, {std::move(run.schedule), run.id});
    }
    auto change = [&](Session& s) -> awaitable<void> {
      for (const auto& [sql, runs] :
           {std::pair(&sql_->settle, &ended), std::pair(&sql_->give_up, &lost)}) {
        if (runs->empty()) continue;
        const std::string list = jobs::json_list(*runs);
        const std::array<Cell, 1> values{list};
        co_await write(s, *sql, values);
      }
    };
    if (!ended.empty() || !lost.empty()) co_await database_->session(change);
    const bool at_end = std::ssize(open) < at_once;
    settled_ = at_end ? std::pair(std::string(), std::int64_t{0}) : std::move(last);
    more = !at_end && std::ssize(ended) + std::ssize(lost) > at_once / 2;
  }
}

awaitable<std::int64_t> Store::prune(std::chrono::milliseconds age, std::int64_t limit) {
  const std::array<Cell, 3> which{now(), std::int64_t{age.count()}, limit};
  auto body = [&](Session& s) -> awaitable<std::int64_t> {
    const auto outdated = co_await rows<NewRun>(s, sql_->outdated, which);
    if (outdated.empty()) co_return 0;
    std::vector<std::int64_t> ids;
    std::map<std::string, Timestamp> newest;
    for (const NewRun& run : outdated) {
      ids.push_back(run.id);
      auto& slot = newest.try_emplace(run.schedule, run.slot).first->second;
      slot = std::max(slot, run.slot);
    }
    const std::string list = jobs::json_list(ids);
    const std::array<Cell, 1> runs{list};
    co_await write(s, sql_->forget, runs);
    JsonRows pruned;
    for (const auto& [schedule, slot] : newest) pruned.add(schedule, slot);
    const std::string slots = pruned.end();
    const std::array<Cell, 1> values{slots};
    co_await write(s, sql_->remember_pruned, values);
    co_return std::ssize(outdated);
  };
  co_return co_await database_->session(body);
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
