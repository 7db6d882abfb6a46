#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aegis/core/awaitable.h"

namespace aegis::db::postgres {

class Engine;

/// Sends notifications that are only hints: the first at once, those that follow within a few
/// milliseconds together, equal ones once. Each time in a transaction of its own, since the server
/// lets only one that notifies commit at a time. What fails to be sent is dropped. Any thread.
class Announcer : public std::enable_shared_from_this<Announcer> {
 public:
  explicit Announcer(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

  /// Does not wait. The work is done on `executor`, whose context is running.
  void announce(const boost::asio::any_io_executor& executor, std::string_view channel,
                std::string_view payload);

 private:
  using News = std::pair<std::string, std::string>;  ///< channel and payload

  /// Whoever sends, until nothing is left to be sent.
  struct Turn;
  static awaitable<void> send_all(std::unique_ptr<Turn> turn);
  awaitable<void> send(std::vector<News> news);

  const std::shared_ptr<Engine> engine_;
  std::mutex mutex_;
  std::vector<News> waiting_{};
  bool sending_ = false;  ///< somebody has the turn
};

}  // namespace aegis::db::postgres
