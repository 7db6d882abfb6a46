// A worker in a process of its own, for tests that end it: worker_process URL
#include <cstdio>

#include "aegis/core/log.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"
#include "jobs/worker.h"
#include "mark.h"

using namespace std::chrono_literals;

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
