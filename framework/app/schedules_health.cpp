#include "app/schedules_health.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedule/store.h"

namespace aegis {

namespace {

constexpr std::size_t most_named = 10;

class SchedulesHealth : public HealthCheck {
 public:
  SchedulesHealth(Database& database, const Settings& settings)
      : store_(database, {}), late_warning_(settings.schedules_late_warning) {}

  std::string_view name() const override { return "schedules"; }

  awaitable<ComponentHealth> check() override {
    const auto counts = co_await store_.counts();
    const auto late = co_await store_.late(late_warning_);
    ComponentHealth health{.name = "schedules"};
    health.metadata.emplace_back("active", counts.active);
    health.metadata.emplace_back("paused", counts.paused);
    health.metadata.emplace_back("late", static_cast<std::int64_t>(late.size()));
    health.message = fmt::format("{} active, {} paused", counts.active, counts.paused);
    if (late.empty()) co_return health;
    std::vector<std::string_view> names;
    for (const auto& one : late) {
      if (names.size() < most_named) names.push_back(one.name);
    }
    health.status = HealthStatus::warning;
    health.message = fmt::format(
        "late by {} s and more: {}{}; is a scheduler running (serve or scheduler) whose code knows "
        "their jobs?",
        late_warning_.count() / 1000, fmt::join(names, ", "),
        late.size() > names.size() ? fmt::format(" and {} more", late.size() - names.size()) : "");
    co_return health;
  }

 private:
  schedule::Store store_;
  std::chrono::milliseconds late_warning_;
};

}  // namespace

std::unique_ptr<HealthCheck> schedules_health(Database& database, const Settings& settings) {
  return std::make_unique<SchedulesHealth>(database, settings);
}

}  // namespace aegis
