#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "aegis/jobs/job.h"
#include "aegis/schedule/trigger.h"

/// Jobs at their times: docs/scheduling.md.
///
///   void schedules(aegis::Schedules& s) {
///     s.cron<PolishShields>("polish-shields", "0 3 * * *").in("Europe/Berlin");
///     s.every<SystemStatusCheck>("system-status", 1min);
///   }
namespace aegis {

/// What becomes of slots that passed while no scheduler ran. (One that fires up to a minute late is
/// on time.)
enum class CatchUp : std::uint8_t {
  skip,  ///< nothing
  once,  ///< one run, for the last of them
  all,   ///< a run for each, up to a number of them: the last ones
};

/// What becomes of a slot while the job of one before it is not finished.
enum class Overlap : std::uint8_t {
  allow,  ///< both run
  skip,   ///< it is left out, which the history says
  queue,  ///< it runs after the other
};

/// What a schedule is, whoever made it.
struct ScheduleSpec {
  std::string name{};
  std::string kind{};            ///< of the jobs
  std::string arguments = "{}";  ///< of each of them, as JSON
  std::string timing{};          ///< Trigger's text
  std::string zone = "UTC";
  std::string catch_up = "once";  ///< skip, once or all
  std::int32_t catch_up_most = 100;
  std::string overlap = "allow";  ///< allow, skip or queue
  std::chrono::milliseconds jitter{};
  std::optional<Timestamp> starts_at{};
  std::optional<Timestamp> ends_at{};

  bool operator==(const ScheduleSpec&) const = default;

  AEGIS_FIELDS(ScheduleSpec, (name, required, min_length(1), max_length(200)), (kind, required),
               (arguments, doc("JSON in a string.")),
               (timing, required,
                doc("A cron expression; every 90s, every 90s from start; at 2026-12-24 18:00, ….")),
               (zone, doc("Such as Europe/Berlin.")), (catch_up, one_of("skip", "once", "all")),
               (catch_up_most, ge(1), le(10000)), (overlap, one_of("allow", "skip", "queue")),
               (jitter, ge(0), doc("Each slot is later by up to so much, as in 30s.")), (starts_at),
               (ends_at, doc("No slot is after this moment.")))
};

/// A cron expression that the compiler has read.
struct CronLiteral {
  template <std::size_t N>
  consteval CronLiteral(const char (&literal)[N])  // NOLINT: the text is the expression
      : cron(literal), text(literal, N - 1) {}

  Cron cron;
  std::string_view text;
};

/// One schedule while it is declared.
class Schedule {
 public:
  /// Throws Error(invalid) for a zone that the system does not know.
  Schedule& in(std::string_view zone);
  Schedule& catch_up(CatchUp what, int most = 100);
  Schedule& overlap(Overlap what);
  /// Each slot is later by up to so much, always the same for the same slot, so that many schedules
  /// of one time do not start together.
  Schedule& jitter(std::chrono::milliseconds most);
  /// No slot is before this moment, from which `every … from start` counts.
  Schedule& starts(Timestamp moment);
  /// No slot is after this moment.
  Schedule& ends(Timestamp moment);

 private:
  friend class Schedules;
  ScheduleSpec spec_{};
  const JobKind* kind_ = nullptr;
};

/// The schedules that an application declares. What they say is brought to the database when a
/// scheduler starts; docs/scheduling.md.
class Schedules {
 public:
  /// By a cron expression. One that is not a literal: add<J>(name, Trigger::parse(text)).
  template <Job J>
  Schedule& cron(std::string name, CronLiteral expression, const J& job = J()) {
    return add(std::move(name), Trigger::cron(expression.cron, expression.text), job);
  }
  /// At each multiple of `period`, or, with `from_start`, counted from the schedule's start.
  template <Job J>
  Schedule& every(std::string name, std::chrono::milliseconds period, const J& job = J(),
                  bool from_start = false) {
    return add(std::move(name), Trigger::every(period, from_start), job);
  }
  /// At these moments, as in "2026-12-24 18:00, 2026-12-31 18:00".
  template <Job J>
  Schedule& at(std::string name, std::string_view moments, const J& job = J()) {
    return add(std::move(name), Trigger::parse("at " + std::string(moments)), job);
  }
  template <Job J>
  Schedule& add(std::string name, const Trigger& trigger, const J& job = J()) {
    return add(std::move(name), trigger, job_kind<J>(), to_json(job));
  }

  // For the library.

  struct Declared {
    ScheduleSpec spec{};
    const JobKind* kind = nullptr;
  };
  /// Throws Error(invalid) for one that cannot be.
  std::vector<Declared> declared() const;

 private:
  /// Throws Error(invalid) for a name that is taken.
  Schedule& add(std::string name, const Trigger& trigger, const JobKind& kind,
                std::string arguments);

  std::vector<std::unique_ptr<Schedule>> schedules_{};
  std::unordered_set<std::string> names_{};
};

/// Why a scheduled job runs.
struct ScheduledRun {
  std::string schedule{};
  Timestamp slot{};       ///< when it was due, whenever it runs
  bool catch_up = false;  ///< the slot passed while no scheduler ran
  bool by_hand = false;   ///< somebody asked for it
  /// How the run before this one ended: completed, cancelled, dead or unknown; nothing: it has not,
  /// or there was none.
  std::optional<std::string> previous_outcome{};
  std::optional<std::string> previous_output{};  ///< JSON: JobContext::output()

  AEGIS_FIELDS(ScheduledRun, (schedule), (slot), (catch_up), (by_hand), (previous_outcome),
               (previous_output))
};

/// The slot that this job is for; nothing when it was not enqueued by a schedule.
awaitable<std::optional<ScheduledRun>> scheduled_run(JobContext& job);

}  // namespace aegis
