#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "aegis/core/function_ref.h"
#include "aegis/core/json.h"
#include "aegis/core/services.h"
#include "aegis/db/session.h"
#include "aegis/jobs/options.h"

/// Durable jobs. A job is a struct whose members are its arguments:
///
///   struct InscribeRunes {
///     static constexpr aegis::JobOptions options{.max_attempts = 5};
///     std::int64_t shield_id{};
///     AEGIS_FIELDS(InscribeRunes, (shield_id))
///     aegis::awaitable<void> run(aegis::JobContext& job);
///   };
///
///   co_await db.enqueue<InscribeRunes>(*shield.id);                      // db is a Session
///   co_await db.enqueue(InscribeRunes{.shield_id = 5}, {.delay = 10min});
///
/// An attempt fails when run() throws, and is then tried again; docs/jobs.md has the guarantees.
namespace aegis {

class Database;
namespace jobs {
class Attempt;
}

/// What a job sees of the attempt that runs it. Used by that attempt's coroutine only.
class JobContext {
 public:
  explicit JobContext(jobs::Attempt& attempt) : attempt_(&attempt) {}
  JobContext(const JobContext&) = delete;
  JobContext& operator=(const JobContext&) = delete;

  std::int64_t id() const;
  int attempt() const;  ///< 1 for the first
  int max_attempts() const;

  /// The job's session. Its commit, which happens by itself when run() returns, also completes the
  /// job, in one transaction: the effect happens once or not at all, even if this attempt was
  /// taken for dead and the job has been started elsewhere (then the commit is an
  /// Error(conflict)). An explicit commit() completes the job too; a second one is an error.
  Session& db();
  /// Other sessions: what they commit may happen again in the next attempt.
  Database& database();

  /// The object that the application provided under this type. Throws Error(internal).
  template <class T>
  T& service() {
    return *static_cast<T*>(find(Services::key<T>(), detail::type_name<T>()));
  }

  // How the attempt ends when run() returns, instead of with the job's completion. Work done with
  // db() is committed all the same.

  /// Run again after `delay`; this attempt does not count.
  void snooze(std::chrono::milliseconds delay);
  /// Not to be run any more, without being a failure: cancelled, with the reason.
  void discard(std::string reason);

  /// How far the job is, 0 to 1, for whoever looks; written soon, outside of db().
  void progress(double fraction, std::string message = "");
  /// What the job answers, readable once it is finished.
  template <class T>
  void output(const T& value) {
    output_json(to_json(value));
  }
  /// Does a part of the job once, however many attempts the job takes: `work(Session&)` gets a
  /// session whose commit also stores what it answers, and a later attempt gets that answer without
  /// running it again. By a name that is the step's own. Before db() is used, on SQLite.
  ///   auto receipt = co_await job.step("charge", [&](Session& s) -> awaitable<Receipt> { … });
  template <class F>
  auto step(std::string name, F work) -> std::invoke_result_t<F&, Session&> {
    using T = typename std::invoke_result_t<F&, Session&>::value_type;
    auto as_json = [&](Session& s) -> awaitable<std::string> {
      if constexpr (std::is_void_v<T>) {
        co_await work(s);
        co_return "null";
      } else {
        co_return to_json(co_await work(s));
      }
    };
    const std::string answer = co_await run_step(std::move(name), as_json);
    if constexpr (!std::is_void_v<T>) {
      T value{};
      from_json(answer, value).raise();
      co_return value;
    }
  }
  /// A line for the job's own log, and for the process's; written soon, outside of db().
  void log(std::string message);

 private:
  void* find(Services::Key key, std::string_view type);
  void output_json(std::string json);
  awaitable<std::string> run_step(std::string name,
                                  FunctionRef<awaitable<std::string>(Session&)> work);

  jobs::Attempt* attempt_;
};

template <class T>
concept Job = Described<T> && requires(T& job, JobContext& context) {
  { job.run(context) } -> std::same_as<awaitable<void>>;
};

/// A kind of job, as the library sees it: compared by address, never copied.
struct JobKind {
  std::string_view name;
  const Type& arguments;
  JobOptions options;
  std::shared_ptr<void> (*make)();
  awaitable<void> (*run)(void* job, JobContext& context);
  std::string (*limit_key)(const void* job);  ///< empty: the limit is for all of the kind
};

namespace detail {

template <class J>
constexpr JobOptions job_options() {
  if constexpr (requires { J::options; }) return J::options;
  return {};
}

template <class J>
std::string limit_key_of(const J& job) {
  if constexpr (requires { job.limit_key(); }) return job.limit_key();
  return {};
}

template <Job J>
struct JobKindOf {
  static constexpr JobOptions options = job_options<J>();
  static constexpr JobKind kind{
      options.name.empty() ? Name<J>::value : options.name,
      type_of<J>(),
      options,
      [] { return std::shared_ptr<void>(std::make_shared<J>()); },
      [](void* job, JobContext& context) { return static_cast<J*>(job)->run(context); },
      [](const void* job) { return limit_key_of(*static_cast<const J*>(job)); },
  };
};

/// A job on its way to the database.
struct JobText {
  std::string arguments{};  ///< JSON
  std::string limit_key{};
};

awaitable<Enqueued> enqueue(Session& session, const JobKind& kind, JobText job,
                            EnqueueOptions options);
awaitable<std::int64_t> enqueue_all(Session& session, const JobKind& kind,
                                    std::vector<JobText> jobs, EnqueueOptions options,
                                    std::vector<Enqueued>* each = nullptr);

awaitable<std::vector<Enqueued>> enqueue_each(Session& session, const JobKind& kind,
                                              std::vector<JobText> jobs, EnqueueOptions options);

template <class J>
JobText text_of(const J& job) {
  return {.arguments = to_json(job), .limit_key = limit_key_of(job)};
}
template <class J>
std::vector<JobText> texts_of(const std::vector<J>& jobs) {
  std::vector<JobText> texts;
  texts.reserve(jobs.size());
  for (const J& job : jobs) texts.push_back(text_of(job));
  return texts;
}

}  // namespace detail

template <Job J>
const JobKind& job_kind() {
  return detail::JobKindOf<J>::kind;
}

template <class J, class... Args>
awaitable<Enqueued> Session::enqueue(Args&&... args) {
  return detail::enqueue(*this, job_kind<J>(), detail::text_of(J{std::forward<Args>(args)...}), {});
}
template <class J>
awaitable<Enqueued> Session::enqueue(const J& job) {
  return detail::enqueue(*this, job_kind<J>(), detail::text_of(job), {});
}
template <class J>
awaitable<Enqueued> Session::enqueue(const J& job, EnqueueOptions options) {
  return detail::enqueue(*this, job_kind<J>(), detail::text_of(job), std::move(options));
}
template <class J>
awaitable<std::int64_t> Session::enqueue_all(const std::vector<J>& jobs) {
  return enqueue_all(jobs, EnqueueOptions());
}
template <class J>
awaitable<std::int64_t> Session::enqueue_all(const std::vector<J>& jobs, EnqueueOptions options) {
  return detail::enqueue_all(*this, job_kind<J>(), detail::texts_of(jobs), std::move(options));
}
template <class J>
awaitable<std::vector<Enqueued>> Session::enqueue_each(const std::vector<J>& jobs) {
  return enqueue_each(jobs, EnqueueOptions());
}
template <class J>
awaitable<std::vector<Enqueued>> Session::enqueue_each(const std::vector<J>& jobs,
                                                       EnqueueOptions options) {
  return detail::enqueue_each(*this, job_kind<J>(), detail::texts_of(jobs), std::move(options));
}

}  // namespace aegis
