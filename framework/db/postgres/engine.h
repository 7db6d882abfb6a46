#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "db/postgres/core.h"

namespace aegis::db::postgres {

/// What the driver and its links share. Links may outlive the driver; then they only fail.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  explicit Engine(Config config);

  const Config& config() const { return *config_; }

  /// The part of this executor's context, made with its first use. With Config::rolled_back that of
  /// the first context of all: there is one transaction. Throws Error(unavailable) after close().
  Core& core(const boost::asio::any_io_executor& executor);

  /// All parts there are, on whatever contexts; `visit` is called under a lock.
  template <class F>
  void for_each(F visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& core : cores_) visit(core);
  }

  /// From now on there is no work.
  void close() { closed_ = true; }

 private:
  class Service;

  Core& find_core(const boost::asio::any_io_executor& executor);
  void forget(const Core& core);

  const std::shared_ptr<const Config> config_;
  const std::uint64_t identity_;  ///< of this object, for the threads' own pointers to cores
  std::atomic<bool> closed_ = false;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Core>> cores_;
};

}  // namespace aegis::db::postgres
