#include "worker/appraise_shield.h"

#include <aegis/core/blocking.h>

#include <array>
#include <thread>

#include "models/shield.h"

using namespace aegis;

namespace {

/// Stands for a call to another service.
int ask_expert(std::size_t expert, const Shield& shield) {
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  return shield.defense_rating * 10 + static_cast<int>(expert);
}

}  // namespace

awaitable<void> AppraiseShield::run(JobContext& job) {
  constexpr std::array<std::string_view, 3> experts{"smith", "guild", "museum"};
  int worth = 0;
  for (std::size_t i = 0; i < experts.size(); ++i) {
    const std::string name(experts[i]);
    job.progress(static_cast<double>(i) / experts.size(), "asking the " + name);
    worth += co_await job.step(name, [&](Session& db) -> awaitable<int> {
      const Shield shield = co_await db.get<Shield>(shield_id);
      co_return co_await run_blocking([i, shield] { return ask_expert(i, shield); });
    });
  }
  job.progress(1);
  job.output(worth / static_cast<int>(experts.size()));
}
