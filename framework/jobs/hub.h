#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
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

/// Where a commit that brought available jobs notifies their queue (Session::notify).
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

  /// The time to go by; NULL: the database's clock counts. In whole milliseconds, which is what
  /// both databases can reckon with.
  Cell now() const;
  /// Before anything else happens. The caller keeps it alive.
  void use(const Clock* clock) { clock_ = clock; }

 private:
  mutable std::mutex mutex_;
  std::list<Listener> listeners_;
  const Clock* clock_ = nullptr;
};

}  // namespace aegis::jobs
