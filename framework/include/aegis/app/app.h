#pragma once

#include <memory>
#include <string>

#include "aegis/app/session.h"
#include "aegis/http/router.h"
#include "aegis/jobs/job.h"
#include "aegis/schedule/schedule.h"

namespace aegis {

class HealthCheck;

/// A service: models, routes and what else there is, put together and run.
///
///   int main(int argc, char** argv) {
///     aegis::App app{"shields"};
///     app.models<Shield>().routes(shields);
///     return app.run(argc, argv);
///   }
class App {
 public:
  /// `name` is shown in logs, health and OpenAPI.
  explicit App(std::string name, std::string version = "0.1.0");
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// Tables that belong to the application; created at the start where they are missing, or made
  /// by migrations (docs/migrations.md).
  template <Model... T>
  App& models() {
    (add_table(table_of<T>()), ...);
    return *this;
  }
  /// Kinds of jobs, which `serve` and `worker` run; docs/jobs.md.
  template <Job... J>
  App& jobs() {
    (add_job(job_kind<J>()), ...);
    return *this;
  }
  /// `declare` says what runs at which times, in `serve` and `scheduler`; docs/scheduling.md. It is
  /// called before any command runs. Its kinds of jobs need not be named by jobs().
  App& schedules(void (*declare)(Schedules&));
  /// `add` adds routes to the application's router.
  App& routes(void (*add)(Router&));
  /// Runs around every handler, the first added outermost.
  App& use(Middleware middleware);
  /// Offers `object` to handlers as Service<T>; the caller keeps it alive.
  template <class T>
  App& provide(T& object) {
    services().provide(object);
    return *this;
  }
  /// Fills `settings` (a struct with AEGIS_FIELDS) from the environment and .env before the start
  /// and offers it to handlers as Service<T>. Every bad key is told at once; exit code 78.
  template <Described T>
  App& settings(T& settings) {
    add_settings(describe<T>(), &settings);
    services().provide(settings);
    return *this;
  }
  /// One more part of /health.
  App& health(std::unique_ptr<HealthCheck> check);
  /// The same for a check of something that exists only once the application runs, such as
  /// *services.find<Database>().
  App& health(std::unique_ptr<HealthCheck> (*make)(const Services& services));

  /// The command line: serve | api | worker | scheduler | health … | db … | jobs … |
  /// schedules … | routes | openapi | config | version.
  /// Answers the process's exit code (docs/cli.md lists them).
  int run(int argc, char** argv);

  struct Parts;  ///< what the application is made of: for commands and tests (app/parts.h)
  Parts& parts() { return *parts_; }

 private:
  void add_table(const Table& table);
  void add_job(const JobKind& kind);
  void add_settings(const Object& description, void* settings);
  Services& services();

  std::unique_ptr<Parts> parts_;
};

}  // namespace aegis
