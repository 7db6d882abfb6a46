#pragma once

#include <map>
#include <memory>
#include <string>

#include "db/notifications.h"
#include "db/postgres/connection.h"
#include "db/postgres/connector.h"

namespace aegis::db::postgres {

class Engine;

/// The one connection of the process that listens, to the channels of all listeners. Lives on one
/// core. Connects again when it breaks, and asks now and then whether the server is still there.
class Listening final : Connection::Owner, Connector::Owner {
 public:
  Listening(const std::shared_ptr<const Config>& config, boost::asio::any_io_executor executor,
            std::shared_ptr<Notifications> notifications);

  /// Listens to what there are listeners for; connects, or closes, if need be. `life` as for
  /// Connector.
  void update(const std::shared_ptr<void>& life);
  /// How many channels are listened to.
  std::size_t heard() const { return asked_.size(); }

  void tick(Connection::Clock::time_point now);
  bool resting() const { return !connection_ && !connector_.busy(); }
  void close();
  void shut_down();

 private:
  /// LISTEN for one channel.
  struct Asked {
    explicit Asked(std::string text) : sql(std::move(text)) {}
    const std::string sql;
    Request request{sql};
  };

  bool wants_connection() const override;
  void connected(Handle handle) override;
  void connect_failed(const std::string&, bool) override {}
  void drained(Connection&) override;
  void lost(Connection&) override;
  void notified(std::string_view channel, std::string_view payload) override;

  std::shared_ptr<const Config> config_;
  boost::asio::any_io_executor executor_;
  std::shared_ptr<Notifications> notifications_;
  Connector connector_;
  std::shared_ptr<Connection> connection_;
  std::map<std::string, Asked, std::less<>> asked_;
  std::weak_ptr<void> life_;
  Connection::Clock::time_point next_ping_{};
  bool closed_ = false;
};

/// The listeners of an engine's database.
std::shared_ptr<Notifications> make_notifications(const std::shared_ptr<Engine>& engine);

}  // namespace aegis::db::postgres
