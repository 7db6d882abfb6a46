#include "jobs/limited_fetch.h"

#include <algorithm>

#include "aegis/core/json.h"

namespace aegis::jobs {

namespace {
constexpr std::int64_t most_looked_at = 100;  // limits in a round
}

LimitedFetch::LimitedFetch(Store& store, const std::vector<const JobKind*>& kinds) : store_(store) {
  std::vector<std::string> names;
  for (const JobKind* kind : kinds) {
    any_limits_ = any_limits_ || kind->options.limit.any();
    kinds_.emplace(kind->name, kind);
    names.emplace_back(kind->name);
  }
  kinds_json_ = to_json(names);
}

awaitable<Store::LimitedClaims> LimitedFetch::fetch(std::int64_t lease, std::string queue,
                                                    std::int64_t limit) {
  Store::LimitedClaims all;
  std::string& last = last_[queue];
  auto turns = co_await store_.limited(queue, last, most_looked_at);
  if (std::ssize(turns) < most_looked_at && !last.empty()) {  // the end of the alphabet: go round
    const auto more = co_await store_.limited(queue, "", most_looked_at - std::ssize(turns));
    for (const auto& turn : more) {
      if (turn.name <= last) turns.push_back(turn);
    }
  }
  std::int64_t waiting = std::ssize(turns);
  for (const LimitedJobs& turn : turns) {
    const std::int64_t free = limit - std::ssize(all.claims);
    if (free <= 0) break;
    last = turn.name;
    const std::int64_t share = std::max<std::int64_t>(1, free / waiting--);
    const auto kind = kinds_.find(turn.kind.value_or(""));
    if (kind == kinds_.end()) continue;
    const Limit& rules = kind->second->options.limit;
    if (rules.running > 0 && turn.running >= rules.running) continue;  // spares the transaction
    auto some = co_await store_.fetch_limited(lease, queue, share, kinds_json_, turn.name, rules);
    std::ranges::move(some.claims, std::back_inserter(all.claims));
    if (some.wait) all.wait = std::min(all.wait.value_or(*some.wait), *some.wait);
  }
  co_return all;
}

}  // namespace aegis::jobs
