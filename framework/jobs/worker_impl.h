#pragma once

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/db/listener.h"
#include "jobs/attempt.h"
#include "jobs/cores.h"
#include "jobs/limited_fetch.h"
#include "jobs/signal.h"
#include "jobs/worker.h"

namespace aegis::jobs {

/// A worker: several coroutines on a thread of its own, each of which does one thing
/// (worker_*.cpp), and what they share.
struct Worker::Impl {
  using Milliseconds = std::chrono::milliseconds;
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Queue {
    std::string name;
    int limit = 0;
    int running = 0;
    bool look = true;              ///< there may be jobs
    bool look_for_limited = true;  ///< also while no kind that is known has limits
  };

  /// Where other threads leave news. Outlives the worker in their hands.
  struct Inbox {
    explicit Inbox(Impl* owner) : worker(owner) {}
    std::mutex mutex{};
    Impl* worker;  ///< null once it ends
    std::vector<std::shared_ptr<Attempt>> ended{};
    std::vector<std::string> queues{};
    bool due = false;
    bool posted = false;

    template <class F>
    void leave(F put) {
      const std::lock_guard lock(mutex);
      if (!worker) return;
      put(*this);
      if (std::exchange(posted, true)) return;
      boost::asio::post(worker->context, [self = worker] { self->collect(); });
    }
  };

  Impl(Runtime& runtime, Database& db, const Services& found, std::vector<const JobKind*> known,
       WorkerOptions given);
  ~Impl();

  void start();
  void spawn(std::string_view name, awaitable<void> task);

  // The lease: worker_lease.cpp.

  awaitable<void> keep_lease();
  awaitable<void> watch_lease();
  /// Others may start its jobs soon: they stop here before that.
  void lose_lease();

  // Getting jobs: worker_fetch.cpp.

  /// What other processes have enqueued. When nothing can be heard, looking now and then must do.
  awaitable<void> hear();
  void look_everywhere();
  /// How many more jobs of the queue it can run.
  int room(const Queue& queue) const;
  awaitable<void> fetch();
  /// Jobs that the database gave to this worker and that never arrived here, since a connection
  /// broke or another fetch of the same round failed. Only where no fetch is on its way.
  awaitable<void> give_back_strays();
  /// Those with limits and those without go first by turns, so that neither holds the others up.
  awaitable<std::vector<Claim>> get(Queue& queue, std::int64_t free, std::int64_t under);
  void dispatch(Queue& queue, std::vector<Claim> claims, std::int64_t under);

  // Recording how attempts ended: worker_record.cpp.

  /// News of other threads.
  void collect();
  void free_slot(const Claim& claim);
  void collect(std::shared_ptr<Attempt> attempt);

  struct Batch {
    std::vector<std::shared_ptr<Attempt>> attempts{};
    std::map<std::int64_t, std::vector<Fence>> completed{};  ///< by lease, no more to say
    std::vector<std::pair<Fence, Ending>> endings{};
    std::vector<Store::Report> reports{};
    bool one_by_one = false;  ///< one of them cannot be stored
  };
  Batch next_batch();
  awaitable<void> record();
  /// The end of a job with a limit makes room for another.
  void look_after(const std::vector<std::shared_ptr<Attempt>>& ended);
  /// Written parts leave the batch, so that another try does not write them again.
  awaitable<void> write(Batch& batch);
  /// What cannot be stored must not hold up the rest for ever: such an ending loses what it says,
  /// and such a line is dropped.
  awaitable<void> write_one_by_one(Batch& batch);

  // What is done now and then: worker_house.cpp.

  awaitable<void> keep_house();
  /// Answers how long nothing more is due.
  awaitable<Milliseconds> start_due();
  awaitable<void> cancel_requested();
  /// A job that blocks its thread can be stopped by nobody: neither its own end nor that of others
  /// on that thread may be waited for. What it writes later does not count: another attempt has
  /// the job.
  awaitable<void> give_up_stuck();
  /// What fails here is tried again by the next round.
  awaitable<void> record_given_up();
  /// By itself: when there is much to delete, jobs that are due do not wait for it.
  awaitable<void> keep_clear();
  awaitable<void> clear_out();
  awaitable<void> report();

  // The end.

  awaitable<void> drain(Milliseconds limit);
  awaitable<void> wait_for_idle(TimePoint until);
  void end();

  Cores cores;  // used on the worker's own thread only
  Store store;
  LimitedFetch limited_fetch;
  const std::vector<const JobKind*> all_kinds;
  const Services& services;
  const WorkerOptions options;
  std::map<std::string, const JobKind*, std::less<>> kinds;
  std::string kinds_json;
  Registration registration{};
  const std::shared_ptr<Inbox> inbox;
  std::shared_ptr<void> news;

  // On the worker's own thread only, from here on.
  boost::asio::io_context context{1};
  Signal beat{context}, watch{context}, wanted{context}, to_record{context}, again{context},
      due{context}, reports_due{context}, clearing{context}, idle{context};
  std::int64_t lease = 0;  ///< 0: none, so that nothing may start
  TimePoint trusted_until{};
  boost::asio::cancellation_signal deafen;  ///< ends hear()
  std::vector<Queue> queues{};
  struct Running {
    std::shared_ptr<Attempt> attempt;
    std::size_t core;
    TimePoint dispatched;
    bool given_up = false;
  };
  std::unordered_map<Attempt*, Running> attempts{};
  std::vector<std::shared_ptr<Attempt>> unrecorded{};
  std::set<Fence> held{};  ///< attempts from their arrival until their end is recorded
  std::vector<std::pair<Fence, Ending>> given_up{};  ///< that are still to be recorded
  TimePoint strays_looked_for{};
  std::int64_t recording = 0;  ///< how many are being written
  bool limited_first = false;
  TimePoint cores_looked_at{};
  TimePoint tokens_at = TimePoint::max();  ///< a limit allows more
  int running = 0;
  bool fetching = false;
  bool draining = false, over = false;
  std::thread thread;
};

}  // namespace aegis::jobs
