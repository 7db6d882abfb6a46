#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>

#include "aegis/core/log.h"
#include "jobs/store.h"

namespace aegis::jobs {

/// Why an attempt is stopped before its end.
enum class Stop : std::uint8_t { no, timeout, cancelled, shutdown, lease_lost };

/// How a failed attempt ends: to be tried again later, or dead when it was the last.
Ending failed_ending(const JobKind& kind, const Claim& claim, std::string_view reason);

/// One run of one job. Lives on one executor, from start() to its end; stop() is for everybody.
class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  /// It is to live on `executor`. `store` and `services` must outlive it.
  Attempt(Store& store, const Services& services, const JobKind& kind, Claim claim,
          std::int64_t lease, boost::asio::any_io_executor executor);

  const JobKind& kind() const { return kind_; }
  const Claim& claim() const { return claim_; }
  Fence fence() const { return {claim_.id, claim_.starts, lease_, claim_.attempt}; }

  using Done = std::function<void(const std::shared_ptr<Attempt>&)>;
  /// Begins to run it, on its executor, unless it has been stopped before. `done` is called there
  /// at the end.
  void start(Done done);
  /// Cancels its coroutine, which ends when it notices. Any thread; the first reason counts.
  void stop(Stop why);

  /// When it began to run; nothing before. Any thread.
  std::optional<std::chrono::steady_clock::time_point> begun() const;

  // Once it has ended.

  const Ending& ending() const { return ending_; }
  /// Whether the job's own commit has written the ending.
  bool recorded() const { return recorded_; }

  /// What was reported since the last call. Any thread.
  struct Reports {
    std::optional<double> progress{};
    std::optional<std::string> message{};
    std::vector<std::pair<Timestamp, std::string>> lines{};
    bool empty() const { return !progress && !message && lines.empty(); }
  };
  Reports take_reports();

  // For JobContext, on the attempt's executor.

  const Services& services() const { return services_; }
  Store& store() const { return store_; }
  Session& session();
  void end_as(Ending ending);
  void set_output(std::string json) { ending_.output = std::move(json); }
  void report(double progress, std::string_view message);
  void report_line(std::string_view line);
  awaitable<std::string> run_step(std::string name,
                                  FunctionRef<awaitable<std::string>(Session&)> work);

 private:
  class FencedLink;

  awaitable<void> run();
  awaitable<void> work();
  log::Log log() const;
  [[noreturn]] void throw_stale();
  void conclude(const std::exception_ptr& failure);
  void ended();

  Store& store_;
  const Services& services_;
  const JobKind& kind_;
  const Claim claim_;
  const std::int64_t lease_;
  std::atomic<Stop> stop_ = Stop::no;
  std::atomic<std::chrono::steady_clock::duration> begun_{};
  const boost::asio::any_io_executor executor_;
  boost::asio::cancellation_signal cancel_;
  std::optional<boost::asio::steady_timer> deadline_;
  Done done_;
  std::optional<Session> session_;
  Ending ending_{};
  bool recorded_ = false;
  bool stale_ = false;

  std::mutex reports_mutex_;
  Reports reports_;
};

}  // namespace aegis::jobs
