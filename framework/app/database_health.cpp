#include "app/database_health.h"

#include <algorithm>
#include <utility>

namespace aegis {

namespace {

ComponentHealth facts(std::string name, const std::vector<DatabaseReport::Fact>& found) {
  ComponentHealth part{.name = std::move(name)};
  for (const auto& fact : found) part.metadata.emplace_back(fact.name, fact.value);
  return part;
}

ComponentHealth tables(const std::vector<DatabaseReport::TableFacts>& found) {
  ComponentHealth part{.name = "tables"};
  part.metadata.emplace_back("count", static_cast<std::int64_t>(found.size()));
  for (const auto& table : found) {
    ComponentHealth one{.name = table.name};
    one.metadata.emplace_back(table.estimated ? "rows_estimated" : "rows", table.rows);
    one.metadata.emplace_back("columns", table.columns);
    one.metadata.emplace_back("indexes", table.indexes);
    one.metadata.emplace_back("foreign_keys", table.foreign_keys);
    part.sub_components.push_back(std::move(one));
  }
  return part;
}

class DatabaseHealth : public HealthCheck {
 public:
  explicit DatabaseHealth(Database& database) : database_(database) {}

  std::string_view name() const override { return "database"; }

  awaitable<ComponentHealth> check() override {
    const DatabaseReport report = co_await database_.inspect();
    ComponentHealth health{.name = "database", .message = "connected"};
    health.metadata.emplace_back("implementation", report.implementation);
    health.metadata.emplace_back("version", report.version);
    health.metadata.emplace_back("url", report.url);

    std::string message;
    for (const auto& problem : report.problems) {
      health.status = std::max(
          health.status, problem.unhealthy ? HealthStatus::unhealthy : HealthStatus::warning);
      message += (message.empty() ? "" : "; ") + problem.message;
    }
    if (!message.empty()) health.message = std::move(message);

    health.sub_components.push_back(facts("storage", report.storage));
    health.sub_components.push_back(facts("settings", report.settings));
    health.sub_components.push_back(facts("pool", report.pool));
    health.sub_components.push_back(tables(report.tables));
    co_return health;
  }

 private:
  Database& database_;
};

}  // namespace

std::unique_ptr<HealthCheck> database_health(Database& database) {
  return std::make_unique<DatabaseHealth>(database);
}

}  // namespace aegis
