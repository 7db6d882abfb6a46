#include "db/postgres/core.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "aegis/core/log.h"
#include "db/text_rows.h"

namespace aegis::db::postgres {

namespace asio = boost::asio;

namespace {

constexpr int runs_elsewhere = 1024;
constexpr std::size_t slow_statements_kept = 256;
constexpr Milliseconds share_interval{5000};
constexpr std::size_t worthwhile_batch = 16;  // statements; more gain little from one Sync for all

/// Of the server: connections for all but superusers, those that belong to nobody with an automatic
/// pool, and how many of these processes there are.
constexpr std::string_view share_sql =
    "SELECT current_setting('max_connections')::bigint - "
    "current_setting('superuser_reserved_connections')::bigint, "
    "count(*) FILTER (WHERE application_name !~ ' #[0-9a-f]{8}$'), "
    "count(DISTINCT application_name) FILTER (WHERE application_name ~ ' #[0-9a-f]{8}$') "
    "FROM pg_stat_activity WHERE usesysid IS NOT NULL "
    "AND coalesce(backend_type, 'client backend') = 'client backend'";

/// How unwelcome another statement is. While one lane's batch is on its way the other one's is put
/// together; when both are at rest they share what comes, so that two of the server's processes
/// work.
std::size_t burden(const Connection& lane) {
  constexpr std::size_t on_its_way = 1 << 30;
  if (!lane.ready_to_send()) return on_its_way + lane.pending();
  return lane.pending() < worthwhile_batch ? 0 : lane.pending();
}

}  // namespace

Core::Core(std::shared_ptr<const Config> config, boost::asio::any_io_executor executor)
    : config_(std::move(config)),
      executor_(executor),
      lanes_{Lane(config_, executor), Lane(config_, executor)},
      pool_(config_, executor),
      timer_(std::move(executor)) {}

std::shared_ptr<Connection> Core::try_lane() {
  std::shared_ptr<Connection> best;
  for (Lane& lane : lanes_) {
    const auto& connection = lane.connection();
    if (!connection) {
      if (best) lane.connect(shared_from_this());
    } else if (!best || burden(*connection) < burden(*best)) {
      best = connection;
    }
  }
  return best;
}

bool Core::has_lane() {
  if (try_lane()) return true;
  if (closed_) throw closed_error();
  expect_ticks();
  lanes_[0].connect(shared_from_this());
  return false;
}

awaitable<std::shared_ptr<Connection>> Core::lane(Milliseconds limit) {
  if (closed_) throw closed_error();
  expect_ticks();
  return lanes_[0].wait_for_connection(shared_from_this(), limit);
}

bool Core::is_slow(std::string_view sql) {
  if (slow_.empty()) return false;
  const auto found = slow_.find(sql);
  if (found == slow_.end()) return false;
  if (--found->second == 0) slow_.erase(found);
  return true;
}

void Core::remember_slow(std::string_view sql) {
  if (slow_.size() >= slow_statements_kept) slow_.clear();
  slow_.insert_or_assign(std::string(sql), runs_elsewhere);
}

void Core::listen(std::shared_ptr<Notifications> notifications) {
  listening_ = std::make_unique<Listening>(config_, executor_, std::move(notifications));
  channels_changed();
}

void Core::channels_changed() {
  if (closed_ || !listening_) return;
  expect_ticks();
  listening_->update(shared_from_this());
}

void Core::expect_ticks() {
  if (closed_ || std::exchange(ticking_, true)) return;
  timer_.expires_after(tick_interval);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    self->ticking_ = false;
    if (!error && !self->closed_) self->tick();
  });
}

void Core::tick() {
  const auto now = Connection::Clock::now();
  for (Lane& lane : lanes_) lane.tick(now);
  pool_.tick(now, shared_from_this());
  if (listening_) listening_->tick(now);
  if (config_->share && config_->share->next.load() <= now) {
    config_->share->next = now + share_interval;
    asio::co_spawn(executor_, measure_share(shared_from_this()), asio::detached);
  }
  const Pool::Figures pool = pool_.figures();
  figures_.open = pool.open;
  figures_.idle = pool.idle;
  figures_.held = pool.held;
  figures_.waiting = pool.waiting;
  figures_.heard = listening_ ? listening_->heard() : 0;
  const bool resting = lanes_[0].resting() && lanes_[1].resting() && pool_.resting() &&
                       (!listening_ || listening_->resting());
  if (!resting) expect_ticks();
}

awaitable<void> Core::measure_share(std::shared_ptr<Core> self) {
  PoolShare& share = *self->config_->share;
  std::shared_ptr<Connection> lane = self->try_lane();
  try {
    if (!lane) lane = co_await self->lane(Milliseconds(1000));
  } catch (const Error&) {  // later
    co_return;
  }
  TextRows found;
  Request request(share_sql, {}, &found);
  request.alone = true;
  lane->send(request);
  co_await lane->answer(request);
  if (request.end != End::done || found.rows.empty()) co_return;
  const auto number = [&](std::size_t i) { return std::stoll(found.rows[0].at(i)); };
  const std::int64_t size =
      pool_share(number(0), number(1), number(2), self->config_->cores, share.threads);
  if (share.size.exchange(size) == size) co_return;
  log::info("the size of the connection pool has changed", "pool_size", size, "instances",
            number(2));
}

void Core::close() {
  if (closed_.exchange(true)) return;
  timer_.cancel();
  for (Lane& lane : lanes_) lane.close();
  pool_.close();
  if (listening_) listening_->close();
}

void Core::shut_down() {
  closed_ = true;
  timer_.cancel();
  for (Lane& lane : lanes_) lane.shut_down();
  pool_.shut_down();
  if (listening_) listening_->shut_down();
}

}  // namespace aegis::db::postgres
