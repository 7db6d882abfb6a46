// Enqueuing: part of the session's transaction, known to workers after its commit.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <limits>
#include <map>
#include <random>

#include "aegis/core/error.h"
#include "aegis/jobs/job.h"
#include "db/row_reader.h"
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

namespace {

struct Tagged {
  std::int64_t id{};
  std::string tags{};

  AEGIS_FIELDS(Tagged, (id), (tags))
};

}  // namespace

awaitable<std::vector<std::int64_t>> enqueue_tagged(Session& session, const JobKind& kind,
                                                    std::vector<JobText> texts,
                                                    std::vector<std::string> tags) {
  const Settings settings = settings_of(kind, {});
  const auto hub = jobs::Hub::find(session.driver());
  const auto& sql = jobs::statements(session.driver().dialect().id());
  co_await tell_of(settings, session);
  std::map<std::string, std::vector<std::int64_t>> found;  // by tag, the newest first
  for (std::size_t begin = 0; begin < texts.size(); begin += most_at_once) {
    std::string list = "[";
    for (std::size_t i = begin; i < std::min(begin + most_at_once, texts.size()); ++i) {
      list.append(list.size() > 1 ? ",[" : "[").append(texts[i].arguments).append(",");
      const auto limit = limit_key(kind, texts[i].limit_key);
      append_json(type_of<decltype(limit_key(kind, ""))>(), &limit, list);
      list += ",[";
      append_json(std::string_view(tags[i]), list);
      list += "]]";
    }
    list += ']';
    const std::array<Cell, 10> values{
        now_of(hub.get()), kind.name,        settings.queue,        settings.priority,
        settings.run_at,   settings.delay,   settings.max_attempts, settings.timeout,
        settings.expires,  std::string_view(list)};
    for (const Tagged& one : co_await jobs::rows<Tagged>(session, sql.enqueue_tagged, values)) {
      std::vector<std::string> its;
      from_json(one.tags, its).raise();
      found[its.at(0)].push_back(one.id);
    }
  }
  for (auto& [tag, ids] : found) std::ranges::sort(ids, std::greater());
  std::vector<std::int64_t> ids;
  for (const std::string& tag : tags) {
    auto& some = found.at(tag);
    ids.push_back(some.back());
    some.pop_back();
  }
  co_return ids;
}

}  // namespace detail
}  // namespace aegis
