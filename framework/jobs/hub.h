#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "aegis/core/clock.h"
#include "aegis/core/type.h"

namespace aegis {
class Session;
}
namespace aegis::db {
class Driver;
}

namespace aegis::jobs {

/// Where other processes are told of available jobs (db::Driver::announce), as Hub::news_of says.
inline constexpr std::string_view news_channel = "aegis_jobs";

/// What those who enqueue and those who run jobs of one database share within a process: news of
/// what was committed, and the clock when a test has its own. Safe to use from every thread.
class Hub {
 public:
  /// `later`: the jobs are not available yet.
  using Listener = std::function<void(std::string_view queue, bool later)>;

  /// The database's; there is one for as long as somebody holds it.
  static std::shared_ptr<Hub> of(db::Driver& driver);
  /// Null when nobody holds one.
  static std::shared_ptr<Hub> find(db::Driver& driver);

  /// `listener` is called after each commit that brought jobs, on the committing thread,
  /// until the result is destroyed.
  [[nodiscard]] std::shared_ptr<void> listen(Listener listener);
  void tell(std::string_view queue, bool later = false) const;

  /// What other processes are told of jobs in the queue, and what such news is to this hub: the
  /// queue's name; nothing when it is this hub's own, whose listeners have been told.
  std::string news_of(std::string_view queue) const { return origin_ + std::string(queue); }
  std::optional<std::string_view> heard(std::string_view news) const;

  /// The time to go by; NULL: the database's clock counts. In whole milliseconds, which is what
  /// both databases can reckon with.
  Cell now() const;
  /// Before anything else happens. The caller keeps it alive.
  void use(const Clock* clock) { clock_ = clock; }

 private:
  static std::string new_origin();

  mutable std::mutex mutex_;
  std::list<Listener> listeners_;
  const std::string origin_ = new_origin();
  const Clock* clock_ = nullptr;
};

/// Tells workers of jobs in the queue that were just committed: those of this process, and unless
/// it is for `later` those of others, once the caller goes on. See db::Driver::announce.
void tell(db::Driver& driver, const boost::asio::any_io_executor& executor, std::string_view queue,
          bool later = false);

}  // namespace aegis::jobs
