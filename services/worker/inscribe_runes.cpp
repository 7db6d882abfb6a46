#include "worker/inscribe_runes.h"

#include "models/shield.h"

using namespace aegis;

awaitable<void> InscribeRunes::run(JobContext& job) {
  Session& db = job.db();  // its commit, after this, also completes the job
  // Locked: nobody changes it between the look and the update.
  auto shield =
      co_await db.select<Shield>().where(Shield::col.id == shield_id).for_update().first();
  if (!shield) {
    job.discard("the shield was melted");
    co_return;
  }
  if (shield->enchantment) co_return;
  shield->enchantment = "runes of " + shield->material;
  co_await db.update(*shield);
}
