#pragma once

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "../../support/temporary_folder.h"
#include "../db/database_test.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "aegis/jobs/job.h"
#include "jobs/store.h"
#include "jobs/tables.h"
#include "jobs/worker.h"
#include "mark.h"

/// The ground of the tests of jobs: each case runs on every kind of database there is, with the
/// tables of jobs and those below, empty.

using aegis::awaitable, aegis::Database, aegis::Errc, aegis::Error, aegis::JobContext,
    aegis::JobOptions, aegis::Session;
using aegis::jobs::FinishedJob, aegis::jobs::WaitingJob, aegis::jobs::Worker,
    aegis::jobs::WorkerOptions;
using namespace std::chrono_literals;

/// "sqlite in memory", "sqlite file", "postgresql".
std::vector<std::string> databases();

class OnDatabase {
 public:
  /// A kind, or the URL of a database of the test's own.
  explicit OnDatabase(const std::string& kind);
  ~OnDatabase();

  Database& database() { return *database_; }
  aegis::Runtime& runtime() { return runtime_; }
  aegis::Services& services() { return services_; }
  const std::string& url() const { return url_; }
  /// Where wait() runs its task.
  std::thread::id test_thread();
  bool one_process() const { return url_ == "sqlite://:memory:"; }

  /// Runs `task` on the runtime to its end and throws what it throws.
  void wait(awaitable<void> task);

  /// A worker that runs these kinds, from now until the end of the test or its stop().
  template <aegis::Job... Jobs>
  Worker& worker(WorkerOptions options = quick()) {
    return start({&aegis::job_kind<Jobs>()...}, std::move(options));
  }
  /// Keeps `object` until the runtime has stopped.
  void keep(std::shared_ptr<void> object) { kept_.push_back(std::move(object)); }
  /// Short times, so that tests need not wait.
  static WorkerOptions quick();

 private:
  Worker& start(std::vector<const aegis::JobKind*> kinds, WorkerOptions options);

  std::optional<TemporaryFolder> folder_{};
  std::string url_, server_database_{};
  aegis::Runtime runtime_{{.threads = 2, .handle_signals = false}};
  aegis::Services services_{};
  std::unique_ptr<Database> database_;
  std::thread thread_;
  std::vector<std::unique_ptr<Worker>> workers_{};
  std::vector<std::shared_ptr<void>> kept_{};
};

/// Waits until `check` answers true, and fails the test when that takes longer than `limit`.
awaitable<void> eventually(aegis::FunctionRef<awaitable<bool>()> check,
                           std::chrono::seconds limit = 20s);

/// The job where it is now.
awaitable<std::optional<WaitingJob>> waiting(Database& db, std::int64_t id);
awaitable<std::optional<FinishedJob>> finished(Database& db, std::int64_t id);
/// Waits for the job's end.
awaitable<FinishedJob> end_of(Database& db, std::int64_t id);
awaitable<std::int64_t> effects(Database& db);
