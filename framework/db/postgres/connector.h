#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "db/postgres/connect.h"

namespace aegis::db::postgres {

/// Connects for a lane or a pool, one attempt after the other, as long as they want connections:
/// whoever waited for one may be gone. After a failure it pauses, up to half a second.
class Connector {
 public:
  class Owner {
   public:
    virtual bool wants_connection() const = 0;
    virtual void connected(Handle handle) = 0;
    /// `lasting`: those who wait need not wait any longer.
    virtual void connect_failed(const std::string& message, bool lasting) = 0;

   protected:
    ~Owner() = default;
  };

  /// `life` is what keeps `owner` alive while an attempt runs.
  Connector(std::shared_ptr<const Config> config, Role role, boost::asio::any_io_executor executor,
            Owner& owner);

  /// Begins, unless it is at it.
  void start(std::shared_ptr<void> life);
  void close();

  bool busy() const { return busy_; }
  /// Why the last attempt failed; empty when it did not.
  const std::string& last_failure() const { return last_failure_; }

 private:
  awaitable<void> work(std::shared_ptr<void> life);

  std::shared_ptr<const Config> config_;
  Role role_;
  Owner& owner_;
  boost::asio::steady_timer pause_;
  std::string last_failure_;
  Milliseconds next_pause_{};
  bool busy_ = false, closed_ = false;
};

}  // namespace aegis::db::postgres
