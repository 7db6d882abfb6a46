#include "app/database_health.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace aegis {

namespace {

ComponentHealth facts(std::string name, const std::vector<DatabaseReport::Fact>& found) {
  ComponentHealth part{.name = std::move(name)};
  for (const auto& fact : found) {
    const auto add = [&](const auto& value) {
      if constexpr (std::is_constructible_v<HealthValue, decltype(value)>) {
        part.metadata.emplace_back(fact.name, value);
      }
    };
    std::visit(add, fact.value);
  }
  return part;
}

void tell(ComponentHealth& health, const DatabaseReport::Problem& problem) {
  health.status =
      std::max(health.status, problem.unhealthy ? HealthStatus::unhealthy : HealthStatus::warning);
  health.message += (health.message.empty() ? "" : "; ") + problem.message;
}

// A column is told as its definition, which begins with its name.
bool has_column(const DatabaseReport::TableFacts& table, std::string_view name) {
  return std::ranges::any_of(table.columns, [&](const std::string& column) {
    return std::string_view(column).substr(0, column.find(' ')) == name;
  });
}

// What the models have and the database lacks; empty when that is nothing.
std::string missing(const std::vector<DatabaseReport::TableFacts>& found,
                    const std::vector<const Table*>& models) {
  std::string names;
  const auto add = [&](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  for (const Table* model : models) {
    const auto table = std::ranges::find(found, model->name, &DatabaseReport::TableFacts::name);
    if (table == found.end()) {
      add("table " + std::string(model->name));
      continue;
    }
    for (const Field& field : model->object->fields) {
      if (!has_column(*table, field.name)) {
        add("column " + std::string(model->name) + "." + std::string(field.name));
      }
    }
  }
  return names;
}

ComponentHealth tables(const std::vector<DatabaseReport::TableFacts>& found,
                       const std::vector<const Table*>& models) {
  ComponentHealth part{.name = "tables"};
  if (const std::string names = missing(found, models); !names.empty()) {
    part.status = HealthStatus::unhealthy;
    part.message = "the database lacks what the models have: " + names +
                   "; `db upgrade` mends that, or where there are no migrations `db create`, "
                   "which makes missing tables";
  }
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
  DatabaseHealth(Database& database, std::vector<const Table*> models)
      : database_(database), models_(std::move(models)) {}

  std::string_view name() const override { return "database"; }

  awaitable<ComponentHealth> check() override {
    const DatabaseReport report = co_await database_.inspect();
    ComponentHealth health{.name = "database"};
    health.metadata.emplace_back("implementation", report.implementation);
    health.metadata.emplace_back("version", report.version);
    health.metadata.emplace_back("url", report.url);

    ComponentHealth storage = facts("storage", report.storage);
    ComponentHealth replica = facts("replica", report.replica);
    for (const auto& problem : report.problems) {
      tell(health, problem);
      if (problem.part == DatabaseReport::Part::replica) tell(replica, problem);
      if (problem.part == DatabaseReport::Part::storage) tell(storage, problem);
    }
    if (health.message.empty()) health.message = "connected";

    health.sub_components.push_back(std::move(storage));
    health.sub_components.push_back(facts("settings", report.settings));
    health.sub_components.push_back(facts("pool", report.pool));
    if (!report.replica.empty()) health.sub_components.push_back(std::move(replica));
    health.sub_components.push_back(
        tables(report.tables, report.has_tables ? models_ : std::vector<const Table*>{}));
    co_return health;
  }

 private:
  Database& database_;
  std::vector<const Table*> models_;
};

}  // namespace

std::unique_ptr<HealthCheck> database_health(Database& database, std::vector<const Table*> models) {
  return std::make_unique<DatabaseHealth>(database, std::move(models));
}

}  // namespace aegis
