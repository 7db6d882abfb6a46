#pragma once

#include <string>

#include "db/dialect.h"

namespace aegis::jobs {

/// Every statement of the jobs room that is more than a row read or written by its key. `now` is
/// the time to go by, and NULL except in tests: then it is the database's clock, which all workers
/// share, that counts.
///
/// A statement on a running job names its id, the number of its start and its lease: when it was
/// given to somebody else meanwhile, or again to the same worker, nothing changes.
struct Statements {
  explicit Statements(db::Dialect::Id database);

  /// $1 now, $2 kind, $3 queue, $4 priority, $5 run_at, $6 delay, $7 max_attempts, $8 timeout, $9
  /// expires_at, $10 unique_key, $11 arguments, $12 tags, $13 limit_key, $14 whether it is blocked,
  /// $15 run_anyway. Answers the id, unless the key is taken.
  std::string enqueue;
  /// As enqueue, but $10 is a JSON array of arguments, and $11 the tags. Answers nothing.
  std::string enqueue_many;
  /// As enqueue_many, and the array is of [arguments, limit key].
  std::string enqueue_many_limited;
  /// As enqueue_many, and $10 is an array of [arguments, limit key or null, tags, whether it is
  /// blocked, unique key or null]. Answers id and tags.
  std::string enqueue_tagged;
  /// The same of jobs that all have unique keys. Answers id and key of those that were not taken.
  std::string enqueue_tagged_unique;
  /// $1 now, $2 the unique key, $3 run_at, $4 delay, and for replace $5 priority, $6 arguments.
  /// Answer the id of the waiting job that they changed.
  std::string replace, reschedule;
  /// $1 the unique key. Answers the id of the job that has it.
  std::string by_key;
  /// The same of the keys in the JSON array $1. Answers id and key.
  std::string by_keys;
  /// As replace and reschedule, of the job with the id $2.
  std::string replace_job, reschedule_job;

  // Keys that outlast the job's end. Their name is $2, in the current span of $3 seconds; 0: of
  // none. $1 now.

  /// Answers the id of the job that has the key.
  std::string key_holder;
  /// Gives it to the job $4, unless it is taken.
  std::string take_key;
  /// Those whose time is over: $1 now. And of the jobs $1, those that are kept with them.
  std::string forget_old_keys, forget_keys;

  /// Which of the jobs $1, a JSON array of ids, are not finished; they do not end before this
  /// transaction does.
  std::string unfinished;
  /// Those of them that ended otherwise than completed, and those that did: $1 ids.
  std::string failed, completed;
  /// That the job $1 comes after the jobs $2.
  std::string add_after;
  /// The same for many: $1 a JSON array of [job, the one that it comes after].
  std::string add_afters;
  /// The jobs that come after any of the jobs $1.
  std::string followers;
  /// Of the jobs $1, those that wait for one that failed: FailedBefore.
  std::string doomed;
  /// Makes those of the jobs $2 available that wait for nothing any more. $1 now. Answers Released.
  std::string release;
  /// Blocked jobs that wait for nothing any more; there are some when a worker died at the wrong
  /// moment.
  std::string stalled;
  /// What the jobs $1 came after.
  std::string forget_after;

  /// Whether the attempt $1 (job), $2 (start), $3 (lease) still counts; its job stays with it until
  /// this transaction ends. Answers the id.
  std::string hold_attempt;

  /// $1 now, $2 queue, $3 how many, $4 lease, $5 kinds (JSON). Answers Claims.
  std::string fetch;
  /// $1 a JSON array of ids: their unique keys are free again.
  std::string free_keys;
  /// The limits that have available jobs: $1 queue, $2 after this one in the alphabet, $3 how many.
  /// Answers LimitedJobs.
  std::string limited;
  /// Holds on to a limit until the transaction's end, and fills its bucket up: $1 now, $2 its name,
  /// $3 what the bucket holds, $4 tokens in a millisecond. Answers the tokens.
  std::string hold_limit;
  /// $1 limit. Answers how many of its jobs run.
  std::string limit_running;
  /// As fetch, of the limit $6.
  std::string fetch_limited;
  /// $1 limit, $2 how many tokens.
  std::string spend_tokens;
  /// Forgets limits of the kind $2 that nobody has used for $3 milliseconds. $1 now.
  std::string forget_limits;
  /// Forgets limits of kinds that no worker knows and that nobody has used for a month. $1 now.
  std::string forget_unknown_limits;
  /// $1 now, $2 id, $3 start, $4 lease, $5 state, $6 error, $7 output, $8 progress, $9 message.
  std::string finish;
  /// Completes: $1 now, $2 lease, $3 JSON object of id: start. Answers the ids.
  std::string complete_many;
  /// After finish and complete_many, where the database cannot move a row in one statement: $1 a
  /// JSON array of ids. Otherwise empty.
  std::string forget;
  /// $1 now, $2 id, $3 start, $4 lease, $5 delay, $6 error.
  std::string retry;
  /// As retry, and the attempt does not count.
  std::string snooze;
  /// $1 lease: all that it runs may start elsewhere, and their attempts do not count.
  std::string release_all;
  /// $1 id, $2 lease, $3 progress, $4 message.
  std::string progress;

  /// $1 now, $2 lease, $3 its name, $4 milliseconds, $5 concurrency, $6 queues, $7 kinds.
  std::string sign_on;
  /// $1 now, $2 lease, $3 milliseconds, $4 how many jobs run.
  std::string renew;
  /// $1 lease: what runs under it. Answers Fences.
  std::string running;
  /// $1 lease: which of its jobs are to be cancelled.
  std::string cancel_requests;
  /// Whether there is anything for the next two; $1 now.
  std::string anyone_lost;
  /// Takes workers off the list whose lease has ended ($1 now); answers their names.
  std::string end_leases;
  /// Running jobs without a worker, and locks them. Answers Orphans.
  std::string orphans;

  /// The milliseconds until the next scheduled or retryable job is due; none: NULL. $1 now.
  std::string next_due;
  /// $1 now, $2 how many: makes those that are due available; answers their queues.
  std::string promote;
  /// Jobs that have waited longer than they may: $1 now, $2 how many. Answers ids.
  std::string expired;
  /// Ends a job that does not run: $1 now, $2 id, $3 state, $4 error. Answers the id.
  std::string end_waiting;
  /// Finished jobs beyond their time: $1 now, $2 state, $3 milliseconds, $4 how many. Answers ids.
  std::string outdated;
  /// $1 now, $2 the queue.
  std::string pause;
  /// Workers that live: one row for each that says how many jobs it runs. $1 now.
  std::string workers;
  /// QueueOverviews. $1 now, $2 from when on dead jobs count, in milliseconds before now.
  std::string queues;
  /// $1 a JSON array of ids.
  std::string forget_finished, forget_lines, forget_steps;
};

/// The database's, made once for the process.
const Statements& statements(db::Dialect::Id database);

}  // namespace aegis::jobs
