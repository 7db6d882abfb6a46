// A worker in a process of its own, for tests that end it: worker_process URL
//
// AEGIS_TEST_CLOCK_SKEW: by how many seconds its clock is wrong.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "jobs/worker.h"
#include "mark.h"

using namespace std::chrono_literals;

// In place of libc's, for all of the process. (ThreadSanitizer has its own in that place.)
#if !__has_feature(thread_sanitizer)
extern "C" int clock_gettime(clockid_t clock, timespec* time) {
  static const long skew = [] {
    const char* given = std::getenv("AEGIS_TEST_CLOCK_SKEW");
    return given != nullptr ? std::atol(given) : 0L;
  }();
  const long result = ::syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += skew;
  return static_cast<int>(result);
}
#endif

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  aegis::log::configure(aegis::log::Level::error);
  aegis::Runtime runtime({.threads = 1});
  aegis::Database database(runtime, {.url = argv[1]});
  const aegis::Services services;
  aegis::jobs::Worker worker(
      runtime, database, services, {&aegis::job_kind<Mark>()},
      {.queues = {{.name = "default"}}, .concurrency = 20, .lease = 1s, .poll = 50ms});
  runtime.on_drain("worker", [&] { return worker.drain(5s); });
  runtime.on_stop("database", [&] { return database.close(); });
  worker.start();
  return runtime.run();
}
