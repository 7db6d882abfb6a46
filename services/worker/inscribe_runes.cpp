#include "worker/inscribe_runes.h"

#include "models/shield.h"

using namespace aegis;

awaitable<void> InscribeRunes::run(JobContext& job) {
  Session& db = job.db();  // its commit, after this, also completes the job
  auto shield = co_await db.find<Shield>(shield_id);
  if (!shield) {
    job.discard("the shield was melted");
    co_return;
  }
  if (shield->enchantment) co_return;
  shield->enchantment = "runes of " + shield->material;
  co_await db.update(*shield);
}
