#include "worker/polish_shields.h"

#include "models/shield.h"

using namespace aegis;

awaitable<void> PolishShields::run(JobContext& job) {
  const auto scheduled = co_await scheduled_run(job);  // before the database is written to
  const auto polished = co_await job.db()
                            .update_all<Shield>()
                            .set(Shield::col.enchantment, "polished")
                            .where(Shield::col.enchantment == std::nullopt)
                            .run();
  job.log(std::to_string(polished) + " shields polished" +
          (scheduled ? " for " + to_string(scheduled->slot) : ""));
}
