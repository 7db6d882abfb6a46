#include "app/migrations_health.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aegis/core/error.h"
#include "db/migrations/history.h"

namespace aegis {
namespace {

class MigrationsHealth : public HealthCheck {
 public:
  MigrationsHealth(Database& database, const db::MigrationFolder& folder)
      : database_(database), folder_(folder) {}

  std::string_view name() const override { return "migrations"; }

  awaitable<ComponentHealth> check() override {
    const auto state = co_await db::migration_state(database_, folder_);
    ComponentHealth health{.name = "migrations"};
    health.metadata.emplace_back("current", state.current());
    health.metadata.emplace_back("head", folder_.head());
    std::vector<std::string> pending;
    for (const auto& revision : state.pending) pending.push_back(revision.title());
    health.metadata.emplace_back("pending", pending);
    if (!pending.empty()) {
      health.status = HealthStatus::unhealthy;
      health.message =
          fmt::format("pending: {}; db upgrade applies them", fmt::join(pending, ", "));
    } else if (!state.problems.empty()) {
      health.status = HealthStatus::warning;
      health.message = fmt::format("{}", fmt::join(state.problems, "; "));
    } else if (!state.note.empty()) {
      health.status = HealthStatus::warning;
      health.message = state.note;
    } else {
      health.message = "at " + folder_.title_of(folder_.head());
    }
    co_return health;
  }

 private:
  Database& database_;
  const db::MigrationFolder& folder_;
};

}  // namespace

std::unique_ptr<HealthCheck> migrations_health(Database& database,
                                               const db::MigrationFolder& folder) {
  return std::make_unique<MigrationsHealth>(database, folder);
}

}  // namespace aegis
