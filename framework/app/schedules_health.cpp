#include "app/schedules_health.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

#include "schedule/admin.h"

namespace aegis {

namespace {

constexpr std::size_t most_named = 10;

/// The first of them, and how many more there are.
std::string name_them(const auto& schedules, auto name) {
  std::vector<std::string> names;
  for (const auto& one : schedules) {
    if (names.size() < most_named) names.push_back(std::invoke(name, one));
  }
  const std::size_t more = schedules.size() - names.size();
  return fmt::format("{}{}", fmt::join(names, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

class SchedulesHealth : public HealthCheck {
 public:
  SchedulesHealth(Database& database, const Settings& settings)
      : store_(database, {}), late_warning_(settings.schedules_late_warning) {}

  std::string_view name() const override { return "schedules"; }
  bool shared() const override { return true; }

  awaitable<ComponentHealth> check() override {
    const auto counts = co_await store_.counts();
    const auto late = co_await store_.late(late_warning_);
    const auto broken = co_await schedule::broken(store_.database());
    ComponentHealth health{.name = "schedules"};
    health.metadata.emplace_back("active", counts.active);
    health.metadata.emplace_back("paused", counts.paused);
    health.metadata.emplace_back("late", static_cast<std::int64_t>(late.size()));
    health.metadata.emplace_back("broken", static_cast<std::int64_t>(broken.size()));
    std::vector<std::string> troubles;
    if (!late.empty()) {
      troubles.push_back(fmt::format(
          "late by {} s and more: {}; is a scheduler running (serve or scheduler) whose code knows "
          "their jobs?",
          late_warning_.count() / 1000, name_them(late, &schedule::Late::name)));
    }
    if (!broken.empty()) {
      troubles.push_back(fmt::format("not fired: {}; the first {}",
                                     name_them(broken, &schedule::WithoutSlot::schedule),
                                     broken.front().why));
    }
    if (!troubles.empty()) health.status = HealthStatus::warning;
    health.message = troubles.empty()
                         ? fmt::format("{} active, {} paused", counts.active, counts.paused)
                         : fmt::format("{}", fmt::join(troubles, "; "));
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
