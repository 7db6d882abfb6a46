#include "worker/polish_shields.h"

#include "models/shield.h"

using namespace aegis;

awaitable<void> PolishShields::run(JobContext& job) {
  const auto polished = co_await job.db()
                            .update_all<Shield>()
                            .set(Shield::col.enchantment, "polished")
                            .where(Shield::col.enchantment == std::nullopt)
                            .run();
  const auto slot = co_await scheduled_run(job);
  job.log(std::to_string(polished) + " shields polished" +
          (slot ? " for " + to_string(slot->slot) : ""));
}
