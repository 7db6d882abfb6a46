#include "db/postgres/engine.h"

#include <algorithm>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <map>
#include <utility>

namespace aegis::db::postgres {

namespace asio = boost::asio;

namespace {

std::atomic<std::uint64_t> next_identity = 1;
/// Grows when a core ends: then threads look theirs up anew.
std::atomic<std::uint64_t> generation = 1;

}  // namespace

/// A context's cores, one for each database. Closes them before the context itself goes.
class Engine::Service final : public asio::execution_context::service {
 public:
  using key_type = Service;
  inline static asio::execution_context::id id;

  explicit Service(asio::execution_context& context) : service(context) {}

  struct Entry {
    std::shared_ptr<Core> core;
    std::weak_ptr<Engine> engine;
  };
  std::map<std::uint64_t, Entry> cores;  ///< by the engine's identity

 private:
  void shutdown() override {
    ++generation;
    for (const auto& [identity, entry] : std::exchange(cores, {})) {
      if (const auto engine = entry.engine.lock()) engine->forget(*entry.core);
      entry.core->shut_down();
    }
  }
};

Engine::Engine(Config config)
    : config_(std::make_shared<const Config>(std::move(config))), identity_(next_identity++) {}

Core& Engine::core(const asio::any_io_executor& executor) {
  if (closed_) throw closed_error();
  thread_local struct {
    std::uint64_t engine = 0, generation = 0;
    const asio::execution_context* context = nullptr;
    Core* core = nullptr;
  } latest;
  asio::execution_context& context = asio::query(executor, asio::execution::context);
  if (latest.engine != identity_ || latest.generation != generation || latest.context != &context) {
    latest = {identity_, generation, &context, &find_core(executor)};
  }
  return *latest.core;
}

Core& Engine::find_core(const asio::any_io_executor& executor) {
  if (config_->rolled_back) {
    const std::lock_guard lock(mutex_);
    if (!cores_.empty()) return *cores_.front();
  }
  auto& service = asio::use_service<Service>(asio::query(executor, asio::execution::context));
  auto& entry = service.cores[identity_];
  if (!entry.core) {
    entry = {std::make_shared<Core>(config_, executor), weak_from_this()};
    const std::lock_guard lock(mutex_);
    cores_.push_back(entry.core);
    if (config_->share) ++config_->share->threads;
  }
  return *entry.core;
}

void Engine::forget(const Core& core) {
  const std::lock_guard lock(mutex_);
  const auto gone = std::erase_if(cores_, [&](const auto& one) { return one.get() == &core; });
  if (config_->share) config_->share->threads -= gone;
}

}  // namespace aegis::db::postgres
