#include "aegis/app/app.h"

#include <algorithm>
#include <utility>

#include "aegis/app/system_jobs.h"
#include "app/cli.h"
#include "app/database_health.h"
#include "app/health_routes.h"
#include "app/jobs_routes.h"
#include "app/parts.h"
#include "app/schedules_routes.h"
#include "http/openapi.h"
#include "jobs/tables.h"
#include "schedule/tables.h"

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

int App::run(int argc, char** argv) {
  return run_command_line(*parts_, argc, argv);
}

void App::add_table(const Table& table) {
  parts_->tables.push_back(&table);
}

void App::add_job(const JobKind& kind) {
  parts_->add_job(kind);
}

App& App::schedules(void (*declare)(Schedules&)) {
  if (!parts_->has_schedules()) {
    parts_->add_jobs_tables();
    for (const Table* table : schedule::tables()) add_table(*table);
  }
  parts_->schedule_declarers.push_back(declare);
  return *this;
}

void App::add_settings(const Object& description, void* settings) {
  parts_->settings.push_back({&description, settings});
}

Services& App::services() {
  return parts_->services;
}

void App::Parts::add_jobs_tables() {
  if (has_jobs_tables) return;
  has_jobs_tables = true;
  for (const Table* table : aegis::jobs::tables()) tables.push_back(table);
}

void App::Parts::add_job(const JobKind& kind) {
  add_jobs_tables();
  const auto same = std::ranges::find(jobs, kind.name, &JobKind::name);
  if (same != jobs.end() && *same != &kind) {
    throw Error(Errc::internal, "Two kinds of jobs are called " + std::string(kind.name) +
                                    "; give one another JobOptions::name.");
  }
  if (same == jobs.end()) jobs.push_back(&kind);
}

void App::Parts::declare_schedules() {
  Schedules all;
  for (const auto declare : schedule_declarers) declare(all);
  schedules = all.declared();
  for (const auto& one : schedules) add_job(*one.kind);
  // What it enqueues is known to every worker too.
  if (std::ranges::find(jobs, &job_kind<SystemStatusCheck>()) != jobs.end()) {
    add_job(job_kind<SendAlert>());
  }
}

void App::Parts::add_routes(std::function<std::string()> why_not_ready,
                            std::chrono::milliseconds keep_health) {
  for (const auto add : route_adders) add(router);
  add_health_routes(router, health, std::move(why_not_ready), keep_health);
  if (!jobs.empty() && !jobs_api_token.reveal().empty()) add_jobs_routes(router, jobs_api_token);
  if (has_schedules() && !jobs_api_token.reveal().empty()) {
    add_schedules_routes(router, jobs_api_token, jobs);
  }
  add_docs_routes(router, name, version);
}

bool App::Parts::needs_database() const {
  const auto asks = [](const auto& endpoint) {
    return std::ranges::any_of(
        endpoint->needs, [](const auto& need) { return need.key == Services::key<Database>(); });
  };
  return !tables.empty() || std::ranges::any_of(router.endpoints(), asks);
}

void App::Parts::use_database(Database* database) {
  services.provide(health);
  if (database != nullptr) {
    services.provide(*database);
    health.add(database_health(*database, tables));
  }
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
