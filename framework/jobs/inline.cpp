#include "jobs/inline.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "core/wakeup.h"
#include "jobs/attempt.h"
#include "jobs/limited_fetch.h"

namespace aegis::jobs {

namespace {

awaitable<Ending> run_one(Store& store, const Services& services, const JobKind& kind, Claim claim,
                          std::int64_t lease) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto attempt =
      std::make_shared<Attempt>(store, services, kind, std::move(claim), lease, executor);
  const auto over = std::make_shared<Wakeup>(executor);
  attempt->start([handle = over->handle()](const std::shared_ptr<Attempt>&) { handle.notify(); });
  co_await over->wait();

  auto reports = attempt->take_reports();
  Ending ending = attempt->ending();
  if (!attempt->recorded()) {
    ending.progress = reports.progress;
    ending.message = reports.message;
    const std::vector<std::pair<Fence, Ending>> endings{{attempt->fence(), ending}};
    co_await store.end(endings);
  }
  const std::vector<Store::Report> lines{
      {.fence = attempt->fence(), .lines = std::move(reports.lines)}};
  if (!lines.front().lines.empty()) co_await store.report(lines);
  co_await store.follow_up({attempt->claim().id});
  co_return ending;
}

}  // namespace

awaitable<std::vector<Ending>> run_available(Store& store, const Services& services,
                                             const std::vector<const JobKind*>& kinds) {
  Registration worker{.lease = 1, .name = "inline", .length = std::chrono::hours(1)};
  for (const JobKind* kind : kinds) worker.kinds.emplace_back(kind->name);
  const std::string kinds_json = to_json(worker.kinds);
  co_await store.sign_on(worker);
  LimitedFetch limited(store, kinds);
  std::vector<Ending> endings;
  for (bool any = true; any;) {
    any = false;
    while (co_await store.promote(1'000) > 0) continue;
    const auto overview = co_await store.overview();
    for (const auto& queue : overview.queues) {
      auto claims = co_await store.fetch(worker.lease, queue.name, 1, kinds_json);
      if (claims.empty()) {
        claims = (co_await limited.fetch(worker.lease, queue.name, 1)).claims;
      }
      for (const Claim& claim : claims) {
        const auto kind = std::ranges::find(kinds, claim.kind, &JobKind::name);
        endings.push_back(co_await run_one(store, services, **kind, claim, worker.lease));
        any = true;
      }
    }
  }
  co_await store.sign_off(worker.lease);
  co_return endings;
}

}  // namespace aegis::jobs
