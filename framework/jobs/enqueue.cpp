// Enqueuing: part of the session's transaction, known to workers after its commit.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <limits>
#include <random>
#include <unordered_map>

#include "aegis/core/error.h"
#include "aegis/jobs/job.h"
#include "db/row_reader.h"
#include "jobs/enqueue.h"
#include "jobs/hub.h"
#include "jobs/sql.h"
#include "jobs/store.h"
#include "jobs/tables.h"

namespace aegis {
namespace {

constexpr std::size_t most_at_once = 5'000;  // jobs in a statement

/// An enqueue's settings: the call's, or else the kind's.
struct Settings {
  std::string queue;
  std::int64_t priority, delay, max_attempts, timeout;
  Cell run_at, expires;
  std::string tags;
  OnConflict on_conflict;
};

[[noreturn]] void refuse(const JobKind& kind, std::string_view what, std::int64_t value) {
  throw Error(Errc::invalid, fmt::format("Job {}: {}, not {}.", kind.name, what, value));
}

Settings settings_of(const JobKind& kind, const EnqueueOptions& options) {
  Settings settings{
      .queue = options.queue ? *options.queue : std::string(kind.options.queue),
      .priority = options.priority.value_or(kind.options.priority),
      .delay = options.delay.count(),
      .max_attempts = options.max_attempts.value_or(kind.options.max_attempts),
      .timeout = options.timeout.value_or(kind.options.timeout).count(),
      .run_at = options.run_at ? Cell(*options.run_at) : Cell(),
      .expires = options.expires ? Cell(*options.expires) : Cell(),
      .tags = to_json(options.tags),
      .on_conflict = options.on_conflict.value_or(kind.options.unique.on_conflict),
  };
  using Priority = std::numeric_limits<std::int16_t>;
  if (settings.queue.empty()) {
    throw Error(Errc::invalid, fmt::format("Job {}: the queue needs a name.", kind.name));
  }
  if (settings.priority < Priority::min() || settings.priority > Priority::max()) {
    refuse(kind, "a priority is between -32768 and 32767", settings.priority);
  }
  if (kind.options.unique.period.count() < 0) {
    refuse(kind, "a period is not negative", kind.options.unique.period.count());
  }
  if (settings.max_attempts < 1) refuse(kind, "max_attempts is at least 1", settings.max_attempts);
  if (settings.timeout < 0) refuse(kind, "a timeout is not negative", settings.timeout);
  const bool unique = options.key || kind.options.unique.by != UniqueBy::nothing;
  if (unique && !options.after.empty() && settings.on_conflict != OnConflict::keep) {
    throw Error(
        Errc::invalid,
        fmt::format("Job {}: one that is there already cannot be made to come after others: "
                    "`after` goes with OnConflict::keep only.",
                    kind.name));
  }
  return settings;
}

/// Short enough for an index.
std::string brief(std::string_view text) {
  if (text.size() <= 200) return std::string(text);
  const boost::uuids::name_generator_sha1 hash(boost::uuids::ns::oid());
  return "sha1:" + boost::uuids::to_string(hash(text.data(), text.size()));
}

/// Two jobs with the same are one; nothing when every one is its own. The first letter tells the
/// database when to forget it: w once it starts (see Statements::fetch), u when it is finished.
std::optional<std::string> unique_key(const JobKind& kind, const EnqueueOptions& options,
                                      std::string_view arguments) {
  const Unique& unique = kind.options.unique;
  const char until = unique.until == UniqueWhile::waiting ? 'w' : 'u';
  if (options.key) return fmt::format("{}:{}:key:{}", until, kind.name, brief(*options.key));
  switch (unique.by) {
    case UniqueBy::arguments:
      return fmt::format("{}:{}:{}", until, kind.name, brief(arguments));
    case UniqueBy::kind:
      return fmt::format("{}:{}", until, kind.name);
    case UniqueBy::nothing:
      break;
  }
  return std::nullopt;
}

/// Whether the key outlasts the job's end, and is in a table of its own.
bool outlasts(const Unique& unique) {
  return unique.period.count() > 0 || unique.until == UniqueWhile::kept;
}

/// What the limit of a job is called; nothing when its kind has none.
std::optional<std::string> limit_key(const JobKind& kind, std::string_view key) {
  if (!kind.options.limit.any()) return std::nullopt;
  if (key.empty()) return std::string(kind.name);
  return fmt::format("{}:{}", kind.name, brief(key));
}

awaitable<std::optional<std::int64_t>> one_id(Session& session, std::string_view sql,
                                              std::span<const Cell> values) {
  std::optional<std::int64_t> id;
  auto take = [&](const Cell& cell) { id = std::get<std::int64_t>(cell); };
  db::OneColumn column(take);
  co_await session.run({sql, values, true}, column);
  co_return id;
}

Cell cell(const std::optional<std::string>& text) {
  return text ? Cell(std::string_view(*text)) : Cell();
}

Cell now_of(const jobs::Hub* hub) {
  return hub ? hub->now() : Cell();
}

/// The jobs as a JSON array of their arguments, or of [arguments, limit key].
std::string list_of(const JobKind& kind, std::span<const detail::JobText> jobs, bool limited) {
  std::string list = "[";
  for (const auto& job : jobs) {
    if (list.size() > 1) list += ',';
    if (!limited) {
      list += job.arguments;
      continue;
    }
    list.append("[").append(job.arguments).append(",");
    append_json(*limit_key(kind, job.limit_key), list);
    list += ']';
  }
  return list += ']';
}

/// Workers are told once the job is there for them.
awaitable<void> tell_of(const Settings& settings, Session& session) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const bool later = settings.delay > 0 || settings.run_at.index() != 0;
  session.after_commit([driver = &session.driver(), executor, queue = settings.queue, later] {
    jobs::tell(*driver, executor, queue, later);
  });
}

}  // namespace

std::chrono::milliseconds exponential_backoff(int attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  constexpr double most = 6 * 3600 * 1000.0;
  const double delay =
      std::min(most, 1000.0 * static_cast<double>(1LL << std::clamp(attempt - 1, 0, 24)));
  std::uniform_real_distribution<double> jitter(0.8, 1.2);
  return std::chrono::milliseconds(static_cast<std::int64_t>(delay * jitter(random)));
}

namespace detail {

namespace {

/// Which of the jobs that `job` is to come after it really has to wait for. Throws Error(not_found)
/// and Error(conflict).
awaitable<std::vector<std::int64_t>> predecessors(Session& session, const jobs::Statements& sql,
                                                  const JobKind& kind,
                                                  const EnqueueOptions& options) {
  const std::string all = jobs::json_list(options.after);
  const std::array<Cell, 1> ids{all};
  const auto waiting = co_await jobs::rows<std::int64_t>(session, sql.unfinished, ids);
  const auto failed = co_await jobs::rows<std::int64_t>(session, sql.failed, ids, false);
  const auto completed = co_await jobs::rows<std::int64_t>(session, sql.completed, ids, false);
  if (!failed.empty() && options.after_failure == AfterFailure::cancel) {
    throw Error(Errc::conflict,
                fmt::format("Job {} cannot come after job {}, which was not completed; "
                            "AfterFailure::run would run it all the same.",
                            kind.name, failed.front()));
  }
  for (const std::int64_t id : options.after) {
    const auto is = [id](const auto& some) { return std::ranges::find(some, id) != some.end(); };
    if (is(waiting) || is(failed) || is(completed)) continue;
    throw Error(Errc::not_found,
                fmt::format("Job {} cannot come after job {}: there is none.", kind.name, id));
  }
  co_return waiting;
}

/// Another transaction was quicker with a job like it.
awaitable<void> forget_job(Session& session, std::int64_t id) {
  co_await session.delete_from<jobs::WaitingJob>().where(jobs::WaitingJob::col.id == id).run();
}

awaitable<void> add_after(Session& session, const jobs::Statements& sql, std::int64_t id,
                          const std::vector<std::int64_t>& after) {
  const std::string list = jobs::json_list(after);
  const std::array<Cell, 2> values{id, list};
  db::NoRows none;
  co_await session.run({sql.add_after, values, true}, none);
}

}  // namespace

awaitable<Enqueued> enqueue(Session& session, const JobKind& kind, JobText job,
                            EnqueueOptions options) {
  const Settings settings = settings_of(kind, options);
  const auto key = unique_key(kind, options, job.arguments);
  const auto limit = limit_key(kind, job.limit_key);
  const auto hub = jobs::Hub::find(session.driver());
  const auto& sql = jobs::statements(session.driver().dialect().id());
  const Cell now = now_of(hub.get());
  const Cell key_cell = cell(key);
  const bool lasting = key && outlasts(kind.options.unique);
  const std::int64_t period = kind.options.unique.period.count();
  co_await tell_of(settings, session);

  std::vector<std::int64_t> after;
  if (!options.after.empty()) after = co_await predecessors(session, sql, kind, options);
  const bool blocked = !after.empty();
  const std::array<Cell, 15> values{now,
                                    kind.name,
                                    settings.queue,
                                    settings.priority,
                                    settings.run_at,
                                    settings.delay,
                                    settings.max_attempts,
                                    settings.timeout,
                                    settings.expires,
                                    lasting ? Cell() : key_cell,
                                    job.arguments,
                                    settings.tags,
                                    cell(limit),
                                    blocked,
                                    options.after_failure == AfterFailure::run};
  const std::array<Cell, 1> unique{key_cell};
  const std::array<Cell, 3> lasting_key{now, key_cell, period};
  // The job in the way may end between two of these statements: then the next round inserts.
  for (int round = 0; round < 10; ++round) {
    std::optional<std::int64_t> there;
    if (lasting) there = co_await one_id(session, sql.key_holder, lasting_key);
    if (!there) {
      const auto fresh = co_await one_id(session, sql.enqueue, values);
      bool mine = fresh.has_value();
      if (fresh && lasting) {
        const std::array<Cell, 4> take{now, key_cell, period, *fresh};
        mine = (co_await one_id(session, sql.take_key, take)).has_value();
        if (!mine) co_await forget_job(session, *fresh);
      }
      if (mine && blocked) co_await add_after(session, sql, *fresh, after);
      if (mine) co_return Enqueued{.id = *fresh};
      if (lasting) continue;
    }
    // By the id or by the key, whichever leads to the job.
    const Cell job_there = there ? Cell(*there) : key_cell;
    if (settings.on_conflict == OnConflict::replace) {
      const std::array<Cell, 6> change{
          now, job_there, settings.run_at, settings.delay, settings.priority, job.arguments};
      const auto changed = co_await one_id(session, there ? sql.replace_job : sql.replace, change);
      if (changed) co_return Enqueued{.id = *changed, .created = false};
    } else if (settings.on_conflict == OnConflict::reschedule) {
      const std::array<Cell, 4> change{now, job_there, settings.run_at, settings.delay};
      const auto changed =
          co_await one_id(session, there ? sql.reschedule_job : sql.reschedule, change);
      if (changed) co_return Enqueued{.id = *changed, .created = false};
    }
    if (!there) there = co_await one_id(session, sql.by_key, unique);
    if (there) co_return Enqueued{.id = *there, .created = false};
  }
  throw Error(Errc::conflict,
              fmt::format("Job {} could not be enqueued: jobs like it come and go too quickly.",
                          kind.name));
}

awaitable<std::int64_t> enqueue_all(Session& session, const JobKind& kind,
                                    std::vector<JobText> jobs, EnqueueOptions options,
                                    std::vector<Enqueued>* each) {
  if (jobs.empty()) co_return 0;
  const bool one_by_one =
      options.key || kind.options.unique.by != UniqueBy::nothing || !options.after.empty();
  if (one_by_one) {
    std::int64_t created = 0;
    for (auto& one : jobs) {
      const Enqueued done = co_await enqueue(session, kind, std::move(one), options);
      if (done.created) ++created;
      if (each) each->push_back(done);
    }
    co_return created;
  }
  const Settings settings = settings_of(kind, options);
  const auto hub = jobs::Hub::find(session.driver());
  const auto& sql = jobs::statements(session.driver().dialect().id());
  const bool limited = kind.options.limit.any();
  const std::string text =
      (limited ? sql.enqueue_many_limited : sql.enqueue_many) + (each ? " RETURNING id" : "");
  co_await tell_of(settings, session);
  std::vector<std::int64_t> ids;
  auto take = [&](const Cell& id) { ids.push_back(std::get<std::int64_t>(id)); };
  for (std::size_t begin = 0; begin < jobs.size(); begin += most_at_once) {
    const auto part =
        std::span(jobs).subspan(begin).first(std::min(most_at_once, jobs.size() - begin));
    const std::string list = list_of(kind, part, limited);
    const std::array<Cell, 11> values{
        now_of(hub.get()), kind.name,      settings.queue,        settings.priority,
        settings.run_at,   settings.delay, settings.max_attempts, settings.timeout,
        settings.expires,  list,           settings.tags};
    db::OneColumn column(take);
    co_await session.run({text, values, true}, column);
  }
  // They grow in the order of the jobs, whatever the order in which the database answers them.
  std::ranges::sort(ids);
  if (each)
    std::ranges::transform(ids, std::back_inserter(*each),
                           [](std::int64_t id) { return Enqueued{.id = id}; });
  co_return std::ssize(jobs);
}

awaitable<std::vector<Enqueued>> enqueue_each(Session& session, const JobKind& kind,
                                              std::vector<JobText> jobs, EnqueueOptions options) {
  std::vector<Enqueued> each;
  co_await enqueue_all(session, kind, std::move(jobs), std::move(options), &each);
  co_return each;
}

}  // namespace detail

namespace jobs {
namespace {

/// A job that was inserted, or that was there, by its tag or its unique key.
struct Found {
  std::int64_t id{};
  std::string label{};

  AEGIS_FIELDS(Found, (id), (label))
};

awaitable<std::vector<Enqueued>> one_by_one(Session& session, const JobKind& kind,
                                            std::vector<TaggedJob> jobs) {
  std::vector<Enqueued> done;
  // What changes the one that is there cannot make it wait (see settings_of).
  const bool may_wait = kind.options.unique.on_conflict == OnConflict::keep;
  for (TaggedJob& job : jobs) {
    EnqueueOptions options{.tags = {job.tag}};
    if (may_wait) options.after = job.after;
    if (may_wait && job.behind) options.after.push_back(done[*job.behind].id);
    options.after_failure = AfterFailure::run;
    done.push_back(co_await detail::enqueue(session, kind, std::move(job.text), options));
  }
  co_return done;
}

/// Gives each job the oldest one with its tag that no other has.
std::vector<Enqueued> by_tag(const std::vector<TaggedJob>& jobs, std::vector<Found> inserted) {
  std::ranges::sort(inserted, std::greater(), &Found::id);
  std::unordered_map<std::string, std::vector<std::int64_t>> ids;
  for (const Found& one : inserted) {
    std::vector<std::string> tags;
    from_json(one.label, tags).raise();
    ids[tags.at(0)].push_back(one.id);
  }
  std::vector<Enqueued> done;
  for (const TaggedJob& job : jobs) {
    auto& some = ids.at(job.tag);
    done.push_back({.id = some.back()});
    some.pop_back();
  }
  return done;
}

/// Gives each job the one with its unique key.
awaitable<std::vector<Enqueued>> by_key(Session& session, const JobKind& kind,
                                        const std::vector<TaggedJob>& jobs,
                                        const std::vector<Found>& inserted) {
  std::unordered_map<std::string, Enqueued> known;
  for (const Found& one : inserted) known.emplace(one.label, Enqueued{.id = one.id});
  std::vector<std::string> keys, missing;
  for (const TaggedJob& job : jobs) {
    keys.push_back(*unique_key(kind, {}, job.text.arguments));
    if (!known.contains(keys.back())) missing.push_back(keys.back());
  }
  if (!missing.empty()) {
    const std::string list = to_json(missing);
    const std::array<Cell, 1> values{list};
    const auto& sql = statements(session.driver().dialect().id());
    for (const Found& one : co_await rows<Found>(session, sql.by_keys, values)) {
      known.emplace(one.label, Enqueued{.id = one.id, .created = false});
    }
  }
  std::vector<Enqueued> done;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    auto job = known.find(keys[i]);
    if (job == known.end()) {  // the one in the way has ended just now
      const EnqueueOptions options{.tags = {jobs[i].tag}};
      const Enqueued fresh = co_await detail::enqueue(session, kind, jobs[i].text, options);
      job = known.emplace(keys[i], fresh).first;
    }
    done.push_back(job->second);
    job->second.created = false;  // for others it is there already
  }
  co_return done;
}

}  // namespace

awaitable<std::vector<Enqueued>> enqueue_tagged(Session& session, const JobKind& kind,
                                                std::vector<TaggedJob> jobs) {
  const Unique& unique = kind.options.unique;
  const bool is_unique = unique.by != UniqueBy::nothing;
  if (is_unique && (outlasts(unique) || unique.on_conflict != OnConflict::keep)) {
    co_return co_await one_by_one(session, kind, std::move(jobs));
  }
  const Settings settings = settings_of(kind, {});
  const auto hub = Hub::find(session.driver());
  const auto& sql = statements(session.driver().dialect().id());
  co_await tell_of(settings, session);
  std::vector<Found> inserted;
  for (std::size_t begin = 0; begin < jobs.size(); begin += most_at_once) {
    std::string list = "[";
    for (std::size_t i = begin; i < std::min(begin + most_at_once, jobs.size()); ++i) {
      const TaggedJob& job = jobs[i];
      list.append(list.size() > 1 ? ",[" : "[").append(job.text.arguments).append(",");
      list.append(to_json(limit_key(kind, job.text.limit_key))).append(",[");
      append_json(std::string_view(job.tag), list);
      list.append("],").append(job.waits() ? "true" : "false").append(",");
      list.append(to_json(unique_key(kind, {}, job.text.arguments))).append("]");
    }
    list += ']';
    const std::array<Cell, 10> values{now_of(hub.get()),     kind.name,        settings.queue,
                                      settings.priority,     settings.run_at,  settings.delay,
                                      settings.max_attempts, settings.timeout, settings.expires,
                                      std::string_view(list)};
    const auto& text = is_unique ? sql.enqueue_tagged_unique : sql.enqueue_tagged;
    std::ranges::move(co_await rows<Found>(session, text, values), std::back_inserter(inserted));
  }
  auto done = is_unique ? co_await by_key(session, kind, jobs, inserted)
                        : by_tag(jobs, std::move(inserted));

  std::string pairs;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!done[i].created || !jobs[i].waits()) continue;
    auto before = std::move(jobs[i].after);
    if (jobs[i].behind) before.push_back(done[*jobs[i].behind].id);
    for (const std::int64_t id : before) {
      fmt::format_to(std::back_inserter(pairs), "{}[{},{}]", pairs.empty() ? "" : ",", done[i].id,
                     id);
    }
  }
  if (!pairs.empty()) {
    const std::string list = "[" + pairs + "]";
    const std::array<Cell, 1> values{list};
    db::NoRows none;
    co_await session.run({sql.add_afters, values, true}, none);
  }
  co_return done;
}

}  // namespace jobs
}  // namespace aegis
