#include "db/postgres/announcer.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "aegis/core/log.h"
#include "db/postgres/link.h"

namespace aegis::db::postgres {

namespace asio = boost::asio;

namespace {
constexpr Milliseconds window{5};
}

struct Announcer::Turn {
  explicit Turn(std::shared_ptr<Announcer> announcer) : of(std::move(announcer)) {}
  /// Also when the coroutine ends, or never begins, together with its context.
  ~Turn() {
    const std::lock_guard lock(of->mutex_);
    if (mine) of->sending_ = false;
  }

  /// What is to be sent now; with nothing left the turn is over.
  std::vector<News> take() {
    const std::lock_guard lock(of->mutex_);
    if (of->waiting_.empty()) mine = of->sending_ = false;
    return std::exchange(of->waiting_, {});
  }

  const std::shared_ptr<Announcer> of;
  bool mine = true;
};

void Announcer::announce(const asio::any_io_executor& executor, std::string_view channel,
                         std::string_view payload) {
  {
    const std::lock_guard lock(mutex_);
    News news(channel, payload);
    if (std::ranges::find(waiting_, news) == waiting_.end()) waiting_.push_back(std::move(news));
    if (std::exchange(sending_, true)) return;
  }
  asio::co_spawn(executor, send_all(std::make_unique<Turn>(shared_from_this())), asio::detached);
}

awaitable<void> Announcer::send_all(std::unique_ptr<Turn> turn) {
  // The caller goes on first, and gives back its connection.
  co_await asio::post(asio::use_awaitable);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (auto news = turn->take(); !news.empty(); news = turn->take()) {
    try {
      co_await turn->of->send(std::move(news));
    } catch (const std::exception& error) {
      log::debug("a notification was not sent", "error", error.what());
    }
    timer.expires_after(window);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

// One round trip: only the COMMIT is waited for.
awaitable<void> Announcer::send(std::vector<News> news) {
  PostgresLink link(engine_, {.origin = "announce"});
  for (const auto& [channel, payload] : news) co_await link.notify(channel, payload);
  co_await link.commit();
}

}  // namespace aegis::db::postgres
