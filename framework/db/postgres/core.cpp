#include "db/postgres/core.h"

#include <utility>

namespace aegis::db::postgres {
namespace {

constexpr int runs_elsewhere = 1024;
constexpr std::size_t slow_statements_kept = 256;

}  // namespace

Core::Core(std::shared_ptr<const Config> config, boost::asio::any_io_executor executor)
    : config_(std::move(config)),
      executor_(executor),
      lanes_{Lane(config_, executor), Lane(config_, executor)},
      pool_(config_, executor),
      timer_(std::move(executor)) {}

// While one lane's batch is on its way the other one's is put together.
std::shared_ptr<Connection> Core::try_lane() {
  std::shared_ptr<Connection> best;
  for (Lane& lane : lanes_) {
    const auto& connection = lane.connection();
    if (!connection) {
      if (best) lane.connect(shared_from_this());
      continue;
    }
    if (connection->ready_to_send()) return connection;
    if (!best || connection->pending() < best->pending()) best = connection;
  }
  return best;
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
