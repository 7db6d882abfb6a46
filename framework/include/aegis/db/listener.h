#pragma once

#include <memory>
#include <string>

#include "aegis/core/awaitable.h"

namespace aegis {

namespace db {
class Inbox;
}

/// What Session::notify() sent, or the news that something may have been missed.
struct Notification {
  std::string channel{};
  std::string payload{};
  /// Notifications may have been missed before this one, which says nothing else: look into the
  /// tables for what they would have told. The first one of a listener is always of this kind, and
  /// so is the first after a lost connection.
  bool missed = false;
};

/// Hears what is sent to its channels, until it is destroyed; from Database::listen(). Used by one
/// coroutine at a time, on any executor. May outlive its Database.
class Listener {
 public:
  explicit Listener(std::shared_ptr<db::Inbox> inbox);
  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();

  /// Waits for the next notification. They come in the order of the commits that sent them. Of a
  /// listener that does not keep up 1000 are kept; then they give way to one that is `missed`.
  /// Cancelling loses none. Throws Error(unavailable) when the database is closed.
  awaitable<Notification> next();

 private:
  std::shared_ptr<db::Inbox> inbox_;
};

}  // namespace aegis
