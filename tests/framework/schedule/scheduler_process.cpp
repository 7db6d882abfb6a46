// A scheduler in a process of its own, for tests that end it: scheduler_process URL
//
// AEGIS_TEST_SPEED: how many times as fast as others its clock goes, from AEGIS_TEST_EPOCH (in
// microseconds) on. AEGIS_TEST_SKEW: by how many milliseconds it is wrong.
#include <cstdlib>

#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "jobs/hub.h"
#include "schedule/scheduler.h"
#include "tick.h"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  aegis::log::configure(aegis::log::Level::error);
  aegis::Runtime runtime({.threads = 1});
  aegis::Database database(runtime, {.url = argv[1]});
  const FastClock clock = FastClock::from_environment();
  const auto hub = aegis::jobs::Hub::of(database.begin().driver());
  hub->use(&clock);
  aegis::schedule::Scheduler scheduler(database, {&aegis::job_kind<Tick>()}, {},
                                       {.poll = 20ms, .batch = 100});
  runtime.on_drain("scheduler", [&] { return scheduler.drain(); });
  runtime.on_stop("database", [&] { return database.close(); });
  scheduler.start();
  return runtime.run();
}
