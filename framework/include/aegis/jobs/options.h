#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aegis/core/time.h"

namespace aegis {

/// What makes two jobs of one kind the same, so that only one of them is kept.
enum class UniqueBy : std::uint8_t {
  nothing,    ///< every enqueue is a job of its own
  arguments,  ///< the same arguments
  kind,       ///< there is one at a time, whatever its arguments
};

/// How long a job keeps others like it out.
enum class UniqueWhile : std::uint8_t {
  unfinished,  ///< until it is completed, cancelled or dead
  waiting,     ///< until it starts: what changes while it runs is worth another run
  kept,        ///< as long as the database has it, also when it is finished
};

/// What an enqueue does that meets a job like its own. All but `keep` cannot be combined with
/// EnqueueOptions::after.
enum class OnConflict : std::uint8_t {
  keep,        ///< nothing: the job that is there will do
  replace,     ///< gives it the new arguments, priority and time, unless it runs
  reschedule,  ///< gives it the new time, unless it runs
};

struct Unique {
  UniqueBy by = UniqueBy::nothing;
  UniqueWhile until = UniqueWhile::unfinished;
  OnConflict on_conflict = OnConflict::keep;
  /// One in each such span of time, whatever becomes of it, instead of what `until` says: with 1h
  /// one between 3:00 and 4:00 in UTC. By the database's clock; 0: no such spans.
  std::chrono::seconds period{};
};

/// What holds for the jobs of one kind on all workers together. When the struct has a member
/// `std::string limit_key() const`, the jobs with the same key share a limit of their own, and keys
/// take turns, so that one with many jobs does not hold up the others.
struct Limit {
  int running = 0;  ///< how many run at a time; 0: any number
  int starts = 0;   ///< how many start in each `per`; 0: any number
  std::chrono::milliseconds per = std::chrono::seconds(1);
  int burst = 0;  ///< how many start at once after a rest; 0: as many as `starts`

  constexpr bool any() const { return running > 0 || starts > 0; }
};

/// The delay before the attempt that follows the failed one number `attempt` (from 1 on).
using Backoff = std::chrono::milliseconds (*)(int attempt);

/// 1 s, 2 s, 4 s, … up to 6 hours, each up to a fifth longer or shorter, so that what failed
/// together does not come back together.
std::chrono::milliseconds exponential_backoff(int attempt);

/// How jobs of one kind are run, unless an enqueue says otherwise:
///   struct InscribeRunes { static constexpr aegis::JobOptions options{.max_attempts = 5}; … };
struct JobOptions {
  /// What the database calls the kind; empty: the struct's name. To rename a struct that has jobs
  /// waiting, give it its former name here.
  std::string_view name{};
  std::string_view queue = "default";
  int priority = 0;       ///< -32768 to 32767; the lower, the sooner
  int max_attempts = 10;  ///< then it is dead
  /// For one attempt, which is then cancelled and counts as failed; 0: none.
  std::chrono::milliseconds timeout = std::chrono::minutes(15);
  Backoff backoff = exponential_backoff;
  Unique unique{};
  Limit limit{};
};

/// What happens to a job when one that it comes after is cancelled or dies.
enum class AfterFailure : std::uint8_t {
  cancel,  ///< it is cancelled too, and says why
  run,     ///< it runs all the same
};

/// What one enqueue says; the rest is as the kind's JobOptions have it.
struct EnqueueOptions {
  std::optional<std::string> queue{};
  std::optional<int> priority{};
  std::optional<int> max_attempts{};
  std::optional<std::chrono::milliseconds> timeout{};
  std::chrono::milliseconds delay{};   ///< not before that long from now
  std::optional<Timestamp> run_at{};   ///< not before that moment
  std::optional<Timestamp> expires{};  ///< not to be started at or after that moment
  std::optional<std::string> key{};    ///< unique by this text instead of what Unique::by says
  std::optional<OnConflict> on_conflict{};
  std::vector<std::string> tags{};
  /// Not before all of these jobs have ended: their ids.
  std::vector<std::int64_t> after{};
  AfterFailure after_failure = AfterFailure::cancel;
};

/// What an enqueue did.
struct Enqueued {
  std::int64_t id = 0;
  bool created = true;  ///< false: a job like it was there, and `id` is that one's
};

}  // namespace aegis
