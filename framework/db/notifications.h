#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aegis/db/listener.h"
#include "core/wakeup.h"

namespace aegis::db {

class Notifications;

/// Throw Error(invalid) for what one of the databases would refuse.
void check_channel(std::string_view channel);
void check_payload(std::string_view payload);

/// What has come for one listener. Shared by the listener and those who deliver.
class Inbox {
 public:
  Inbox(std::shared_ptr<Notifications> source, std::vector<std::string> channels)
      : source_(std::move(source)), channels_(std::move(channels)) {}
  ~Inbox();

  awaitable<Notification> next(std::shared_ptr<Inbox> self);

 private:
  friend class Notifications;

  const std::shared_ptr<Notifications> source_;
  const std::vector<std::string> channels_;
  // Under the source's lock:
  std::deque<Notification> waiting_{};
  bool in_force_ = false;  ///< all of its channels are heard
  std::optional<Wakeup::Handle> sleeper_{};
};

/// The listeners of one database. Any thread.
class Notifications : public std::enable_shared_from_this<Notifications> {
 public:
  virtual ~Notifications() = default;

  /// Throws Error(invalid) for a bad channel name.
  std::shared_ptr<Inbox> open(std::vector<std::string> channels);
  /// The channels that somebody listens to.
  std::set<std::string> channels() const;

  void deliver(std::string_view channel, std::string_view payload);
  /// From now on all that is sent to these channels comes here.
  void in_force(const std::set<std::string>& channels);
  /// The connection broke: nothing is heard until in_force(). Those who wait attend() again.
  void interrupted();
  /// Those who wait, and later ones, are told that the database is closed.
  void close();

 protected:
  /// Somebody waits on that executor: the connection, where there has to be one, can live there.
  virtual void attend(const boost::asio::any_io_executor&) {}
  /// What channels() answers may have changed.
  virtual void channels_changed() {}

 private:
  friend class Inbox;

  void forget(const Inbox& inbox);

  mutable std::mutex mutex_;
  std::vector<Inbox*> inboxes_;
  bool closed_ = false;
};

/// Of a database whose notifications stay in this process: all channels are heard at once.
class LocalNotifications final : public Notifications {
 private:
  void channels_changed() override { in_force(channels()); }
};

}  // namespace aegis::db
