#include "db/postgres/listening.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "aegis/core/log.h"
#include "db/postgres/engine.h"

namespace aegis::db::postgres {

namespace asio = boost::asio;

namespace {

constexpr Milliseconds ping_interval{5000};
constexpr Milliseconds ping_limit{3000};

/// Its few statements run once.
std::shared_ptr<const Config> without_cache(const Config& config) {
  auto copy = std::make_shared<Config>(config);
  copy->statement_cache = 0;
  return copy;
}

/// Chooses the core that listens: the first on which somebody waits.
class PostgresNotifications final : public Notifications {
 public:
  explicit PostgresNotifications(std::weak_ptr<Engine> engine) : engine_(std::move(engine)) {}

 private:
  void attend(const asio::any_io_executor& executor) override {
    const std::lock_guard lock(host_mutex_);
    if (const auto host = host_.lock(); host && !host->closed()) return;
    const auto engine = engine_.lock();
    if (!engine) return;
    if (engine->config().transaction_pooling) {
      throw Error(Errc::invalid,
                  "Notifications do not come through a pooler that works by transactions "
                  "(transaction_pooling): listen on a Database whose URL is the server's own.");
    }
    Core& core = engine->core(executor);
    host_ = core.weak_from_this();
    core.listen(shared_from_this());
  }

  void channels_changed() override {
    const auto engine = engine_.lock();
    if (!engine) return;
    std::shared_ptr<Core> host;
    {
      const std::lock_guard lock(host_mutex_);
      host = host_.lock();
    }
    // A core that is still listed has a context that is still there.
    engine->for_each([&](const std::shared_ptr<Core>& core) {
      if (core == host) asio::post(core->executor(), [core] { core->channels_changed(); });
    });
  }

  const std::weak_ptr<Engine> engine_;
  std::mutex host_mutex_;
  std::weak_ptr<Core> host_;
};

}  // namespace

Listening::Listening(const std::shared_ptr<const Config>& config, asio::any_io_executor executor,
                     std::shared_ptr<Notifications> notifications)
    : config_(without_cache(*config)),
      executor_(executor),
      notifications_(std::move(notifications)),
      connector_(config_, Role::transaction, std::move(executor), *this) {}

bool Listening::wants_connection() const {
  return !closed_ && !connection_ && !notifications_->channels().empty();
}

void Listening::update(const std::shared_ptr<void>& life) {
  if (closed_) return;
  life_ = life;
  const auto wanted = notifications_->channels();
  if (wanted.empty()) {
    asked_.clear();
    if (const auto last = std::exchange(connection_, nullptr)) last->close();
    return;
  }
  if (!connection_) return connector_.start(life);
  const auto alive = connection_;  // sending may find out that it is not
  for (auto it = asked_.begin(); it != asked_.end();) {
    if (wanted.contains(it->first)) {
      ++it;
      continue;
    }
    alive->send(fmt::format("UNLISTEN \"{}\"", it->first));
    if (!connection_) return;
    it = asked_.erase(it);
  }
  for (const auto& channel : wanted) {
    const auto [asked, is_new] = asked_.try_emplace(channel, fmt::format("LISTEN \"{}\"", channel));
    if (is_new) alive->send(asked->second.request);
    if (!connection_) return;
  }
  alive->flush();
  alive->tell_when_drained();
}

void Listening::connected(Handle handle) {
  connection_ = std::make_shared<Connection>(std::move(handle), *config_, executor_,
                                             static_cast<Connection::Owner&>(*this));
  connection_->listens = true;
  next_ping_ = Connection::Clock::now() + ping_interval;
  connection_->watch();
  if (const auto life = life_.lock()) update(life);
}

void Listening::drained(Connection&) {
  std::set<std::string> heard;
  for (auto it = asked_.begin(); it != asked_.end();) {
    const Request& request = it->second.request;
    if (request.end == End::done) {
      heard.insert(it->first);
    } else if (request.end != End::pending) {  // once more with the next ping
      log::warn("a channel cannot be listened to", "channel", it->first, "error",
                request.failure ? request.failure->what() : "");
      it = asked_.erase(it);
      continue;
    }
    ++it;
  }
  notifications_->in_force(heard);
}

void Listening::lost(Connection&) {
  connection_.reset();
  asked_.clear();
  notifications_->interrupted();
  if (const auto life = life_.lock()) connector_.start(life);
}

void Listening::notified(std::string_view channel, std::string_view payload) {
  notifications_->deliver(channel, payload);
}

void Listening::tick(Connection::Clock::time_point now) {
  if (!connection_) return;
  if (silent_for(*connection_, ping_limit)) {
    const auto mute = connection_;  // lost() lets go of it
    return mute->lose(lost_connection(fmt::format("no answer for {} ms", ping_limit.count())));
  }
  if (now < next_ping_) return;
  next_ping_ = now + ping_interval;
  connection_->send("SELECT 1");
  if (const auto life = life_.lock()) update(life);
}

void Listening::close() {
  closed_ = true;
  connector_.close();
  asked_.clear();
  if (const auto last = std::exchange(connection_, nullptr)) last->close();
  notifications_->interrupted();
}

void Listening::shut_down() {
  closed_ = true;
  connector_.close();
  asked_.clear();
  if (const auto last = std::exchange(connection_, nullptr)) last->shut_down();
  notifications_->interrupted();
}

std::shared_ptr<Notifications> make_notifications(const std::shared_ptr<Engine>& engine) {
  if (engine->config().rolled_back) return std::make_shared<LocalNotifications>();
  return std::make_shared<PostgresNotifications>(engine);
}

}  // namespace aegis::db::postgres
