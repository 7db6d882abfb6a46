#pragma once

#include <functional>
#include <string>
#include <vector>

#include "aegis/app/app.h"
#include "aegis/core/secret.h"
#include "aegis/health/health.h"
#include "aegis/schedule/schedule.h"

namespace aegis {

/// What an application is made of: filled by App's methods, used by its commands and by tests.
struct App::Parts {
  Parts(std::string app_name, std::string app_version)
      : name(app_name), version(app_version), health(app_name, app_version) {}

  struct SettingsTarget {
    const Object* description;
    void* object;
  };

  std::string name, version;
  Router router{};
  Services services{};
  HealthRegistry health;
  std::vector<const Table*> tables{};
  std::vector<const JobKind*> jobs{};
  bool has_jobs_tables = false;
  std::vector<void (*)(Schedules&)> schedule_declarers{};
  std::vector<Schedules::Declared> schedules{};  ///< once declare_schedules() was called
  Secret<std::string> jobs_api_token{};          ///< empty: no HTTP API for jobs and schedules
  std::vector<SettingsTarget> settings{};
  std::vector<void (*)(Router&)> route_adders{};
  std::vector<std::unique_ptr<HealthCheck> (*)(const Services&)> health_makers{};

  /// Whether it has schedules, if only such as are created at run time.
  bool has_schedules() const { return !schedule_declarers.empty(); }

  /// Once.
  void add_jobs_tables();
  /// Throws Error(internal) when another kind has this name.
  void add_job(const JobKind& kind);
  /// Asks the application for its schedules, before any command runs. Throws Error(invalid) for one
  /// that cannot be.
  void declare_schedules();
  /// Adds all routes: the application's, /livez to /health/probe, /jobs, /queues and /schedules,
  /// /openapi.json and /docs.
  /// `why_not_ready` answers what /readyz is to say; empty: ready. What a health check found is
  /// told for `keep_health`.
  /// Throws Error(internal) for a bad or doubled route.
  void add_routes(std::function<std::string()> why_not_ready,
                  std::chrono::milliseconds keep_health = std::chrono::milliseconds(0));
  /// Whether it has models, jobs or schedules, or a handler that takes a Session or the Database.
  /// Call it after add_routes().
  bool needs_database() const;
  /// Connects what has been put together to `database`; null: it has none. Throws Error(internal),
  /// which names every route whose handler asks for a service that nobody provides.
  void use_database(Database* database);
};

}  // namespace aegis
