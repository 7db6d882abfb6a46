#include "aegis/app/app.h"

#include <algorithm>
#include <utility>

#include "app/cli.h"
#include "app/database_health.h"
#include "app/health_routes.h"
#include "app/jobs_routes.h"
#include "app/parts.h"
#include "http/openapi.h"
#include "jobs/tables.h"

namespace aegis {

App::App(std::string name, std::string version)
    : parts_(std::make_unique<Parts>(std::move(name), std::move(version))) {}

App::~App() = default;

App& App::routes(void (*add)(Router&)) {
  parts_->route_adders.push_back(add);
  return *this;
}

App& App::use(Middleware middleware) {
  parts_->router.use(std::move(middleware));
  return *this;
}

App& App::health(std::unique_ptr<HealthCheck> check) {
  parts_->health.add(std::move(check));
  return *this;
}

App& App::health(std::unique_ptr<HealthCheck> (*make)(const Services&)) {
  parts_->health_makers.push_back(make);
  return *this;
}

int App::run(int argc, char** argv) { return run_command_line(*parts_, argc, argv); }

void App::add_table(const Table& table) { parts_->tables.push_back(&table); }

void App::add_job(const JobKind& kind) {
  auto& known = parts_->jobs;
  if (known.empty()) {
    for (const Table* table : jobs::tables()) add_table(*table);
  }
  const auto same = std::ranges::find(known, kind.name, &JobKind::name);
  if (same != known.end() && *same != &kind) {
    throw Error(Errc::internal, "Two kinds of jobs are called " + std::string(kind.name) +
                                    "; give one another JobOptions::name.");
  }
  if (same == known.end()) known.push_back(&kind);
}

void App::add_settings(const Object& description, void* settings) {
  parts_->settings.push_back({&description, settings});
}

Services& App::services() { return parts_->services; }

void App::Parts::add_routes(std::function<std::string()> why_not_ready) {
  for (const auto add : route_adders) add(router);
  add_health_routes(router, health, std::move(why_not_ready));
  if (!jobs.empty() && !jobs_api_token.reveal().empty()) add_jobs_routes(router, jobs_api_token);
  add_docs_routes(router, name, version);
}

void App::Parts::use_database(Database& database) {
  services.provide(database);
  health.add(database_health(database, tables));
  health.add(system_health());
  for (const auto make : health_makers) health.add(make(services));
  std::string missing;
  for (const auto& endpoint : router.endpoints()) {
    for (const auto& need : endpoint->needs) {
      if (services.has(need.key)) continue;
      missing += "\n  " + std::string(to_string(endpoint->method)) + " " + endpoint->path +
                 " needs " + std::string(need.type);
    }
  }
  if (!missing.empty()) {
    throw Error(Errc::internal,
                "Handlers ask for services that nobody provides (App::provide):" + missing);
  }
}

}  // namespace aegis
