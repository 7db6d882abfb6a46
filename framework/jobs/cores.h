#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <vector>

#include "aegis/core/runtime.h"

namespace aegis::jobs {

/// The runtime's cores, as a worker hands jobs to them: by turns, save those that a job blocks.
/// Used by one thread.
class Cores {
 public:
  explicit Cores(Runtime& runtime);

  std::size_t size() const { return cores_.size(); }
  const boost::asio::any_io_executor& executor(std::size_t core) const {
    return cores_[core].executor;
  }
  /// The next one that answers; any when none does.
  std::size_t next();
  /// Whether any answers.
  bool any() const;

  /// To be called about once a second: a core that has not answered since the last call counts as
  /// blocked until it does. Answers those that have just become blocked.
  std::vector<std::size_t> look();
  bool blocked(std::size_t core) const;

 private:
  struct Core {
    boost::asio::any_io_executor executor;
    std::shared_ptr<std::atomic<bool>> answered = std::make_shared<std::atomic<bool>>(true);
    bool blocked = false;
  };

  std::vector<Core> cores_{};
  std::size_t turn_ = 0;
};

}  // namespace aegis::jobs
