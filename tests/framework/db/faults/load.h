#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "aegis/core/error.h"
#include "aegis/core/runtime.h"
#include "aegis/db/database.h"

/// Sessions that read and write without end on two cores, and a ledger of what each was told, to be
/// held against the table when a fault is over.
class Load {
 public:
  struct Entry {
    std::optional<std::int64_t> id{};
    std::string name{};
    AEGIS_TABLE(Entry, "entry", (id, primary_key), (name))
  };

  explicit Load(aegis::DatabaseOptions options);
  /// Stops; a session that hangs fails the test.
  ~Load();

  aegis::Database& database() { return *database_; }

  /// Waits until `more` further writes were acknowledged, and reads answered.
  void await_success(int more = 100);
  /// Waits until `more` further sessions ended with an error.
  void await_errors(int more = 20);

  /// Ends all workers. Then: every acknowledged name is in `stored`, once; no other is there, save
  /// where the outcome was told to be unknown.
  void finish();
  void check_ledger(const std::vector<std::string>& stored);

 private:
  aegis::awaitable<void> work(std::size_t core, int worker);
  aegis::awaitable<void> beat(std::size_t core);
  bool await(const std::function<bool()>& condition);

  std::unique_ptr<aegis::Runtime> runtime_;
  std::unique_ptr<aegis::Database> database_;
  std::thread thread_;
  std::atomic<bool> ending_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> acknowledged_, unknown_;
  std::map<std::string, int> errors_;
  int reads_ = 0, failures_ = 0, working_ = 0;
  std::string wrong_;  ///< what should never happen
};
