// Workers that are killed in the middle: nothing is lost, no effect happens twice.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <random>

#include "aegis/core/clock.h"
#include "ground.h"

extern char** environ;  // NOLINT: POSIX

namespace {

/// A process that runs jobs; ends with this.
class Process {
 public:
  explicit Process(const std::string& url) : url_(url) { start(); }
  ~Process() { kill(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void start() {
    std::string program = AEGIS_WORKER_PROCESS;
    std::string url = url_;
    char* const arguments[] = {program.data(), url.data(), nullptr};
    BOOST_REQUIRE(::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments, environ) == 0);
  }
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  /// Answers its exit code.
  int terminate() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  std::string url_;
  pid_t pid_ = 0;
};

int kills() {
  const char* wanted = std::getenv("AEGIS_KILLS");
  return wanted != nullptr ? std::atoi(wanted) : 6;
}

awaitable<std::int64_t> unfinished(Database& db) {
  co_return co_await db.read([](Session& s) -> awaitable<std::int64_t> {
    co_return co_await s.select<WaitingJob>().count();
  });
}

}  // namespace

JOBS_TEST(workers_that_are_killed_lose_nothing_and_do_nothing_twice) {
  if (ground.one_process()) co_return;
  const int rounds = kills();
  std::vector<Mark> jobs;
  for (int i = 0; i < rounds * 150; ++i) jobs.push_back({.number = i});
  auto enqueue = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(jobs); };
  co_await db.session(enqueue);

  std::minstd_rand random(4);
  std::vector<std::unique_ptr<Process>> workers;
  for (int i = 0; i < 2; ++i) workers.push_back(std::make_unique<Process>(ground.url()));
  for (int i = 0; i < rounds; ++i) {
    co_await aegis::Clock::system().sleep_for(std::chrono::milliseconds(100 + random() % 200));
    auto& victim = *workers[random() % workers.size()];
    victim.kill();
    victim.start();
  }
  auto all_done = [&]() -> awaitable<bool> { co_return co_await unfinished(db) == 0; };
  co_await eventually(all_done);
  auto check = [&](Session& s) -> awaitable<void> {
    const auto twice =
        co_await s.query<std::int64_t>("SELECT of FROM effect GROUP BY of HAVING count(*) > 1");
    BOOST_TEST(twice.size() == 0);
    BOOST_TEST(co_await s.select<Effect>().count() == std::ssize(jobs));
    BOOST_TEST(co_await s.select<FinishedJob>().count() == std::ssize(jobs));
  };
  co_await db.read(check);
}

JOBS_TEST(a_worker_that_is_told_to_stop_gives_back_what_it_does_not_finish) {
  if (ground.one_process()) co_return;
  std::vector<Mark> jobs;
  for (int i = 0; i < 500; ++i) jobs.push_back({.number = i});
  auto enqueue = [&](Session& s) -> awaitable<void> { co_await s.enqueue_all(jobs); };
  co_await db.session(enqueue);
  {
    Process worker(ground.url());
    auto begun = [&]() -> awaitable<bool> { co_return co_await effects(db) > 0; };
    co_await eventually(begun);
    BOOST_TEST(worker.terminate() == 0);
  }
  auto check = [&](Session& s) -> awaitable<void> {
    BOOST_TEST(co_await s.select<WaitingJob>().where(WaitingJob::col.state == "running").count() ==
               0);
    BOOST_TEST(co_await s.select<aegis::jobs::WorkerRow>().count() == 0);
    BOOST_TEST(co_await s.select<Effect>().count() + co_await s.select<WaitingJob>().count() ==
               500);
  };
  co_await db.read(check);
}
