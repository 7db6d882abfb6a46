#include <sys/utsname.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>

#include "aegis/core/error.h"
#include "aegis/core/runtime.h"
#include "aegis/health/health.h"

namespace aegis {

namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

// What the round and its checks share; a check that outlasts the limit keeps it alive.
struct Round {
  Round(const asio::any_io_executor& executor, std::size_t count)
      : done(executor), results(count), running(count), cancel(count) {}
  asio::steady_timer done;
  std::vector<ComponentHealth> results;
  std::size_t running;
  std::vector<asio::cancellation_signal> cancel;
  std::vector<bool> answered = std::vector<bool>(results.size());
};

awaitable<void> look(HealthCheck& check, std::shared_ptr<Round> round, std::size_t index) {
  const auto began = SteadyClock::now();
  ComponentHealth found;
  try {
    found = co_await check.check();
  } catch (const std::exception& error) {
    found = {.status = HealthStatus::unhealthy, .message = error.what()};
  } catch (...) {
    found = {.status = HealthStatus::unhealthy, .message = "threw what is not a std::exception"};
  }
  found.name = check.name();
  found.shared = check.shared();
  found.response_time_ms =
      std::chrono::duration<double, std::milli>(SteadyClock::now() - began).count();
  round->results[index] = std::move(found);
  round->answered[index] = true;
  if (--round->running == 0) round->done.cancel();
}

ComponentHealth overdue(const HealthCheck& check, std::chrono::milliseconds limit) {
  return {.name = std::string(check.name()),
          .status = HealthStatus::unhealthy,
          .message = "did not answer within " + std::to_string(limit.count()) + " ms",
          .response_time_ms = static_cast<double>(limit.count()),
          .shared = check.shared()};
}

std::vector<std::pair<std::string, HealthValue>> about_the_machine() {
  utsname name{};
  ::uname(&name);
  return {{"hostname", std::string(name.nodename)},
          {"system", std::string(name.sysname) + " " + name.release},
          {"architecture", std::string(name.machine)},
          {"process_id", static_cast<std::int64_t>(::getpid())},
          {"cores", static_cast<std::int64_t>(available_cores())}};
}

}  // namespace

HealthRegistry::HealthRegistry(std::string service, std::string version)
    : service_(std::move(service)), version_(std::move(version)) {}

HealthRegistry::~HealthRegistry() = default;

void HealthRegistry::add(std::unique_ptr<HealthCheck> check) {
  for (const auto& other : checks_) {
    if (other->name() == check->name()) {
      throw Error(Errc::internal,
                  "Two health checks are named \"" + std::string(check->name()) + "\".");
    }
  }
  checks_.push_back(std::move(check));
}

awaitable<HealthReport> HealthRegistry::check(std::chrono::milliseconds limit) const {
  const auto executor = co_await asio::this_coro::executor;
  const auto round = std::make_shared<Round>(executor, checks_.size());
  round->done.expires_after(limit);
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    asio::co_spawn(executor, look(*checks_[i], round, i),
                   asio::bind_cancellation_slot(round->cancel[i].slot(),
                                                [round](const std::exception_ptr&) {}));
  }
  if (round->running > 0) co_await round->done.async_wait(asio::as_tuple(asio::use_awaitable));

  HealthReport report{
      .service = service_,
      .version = version_,
      .timestamp = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()),
      .components = round->results,
      .system_info = about_the_machine()};
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    if (round->answered[i]) continue;
    report.components[i] = overdue(*checks_[i], limit);
    round->cancel[i].emit(asio::cancellation_type::all);  // what it still answers is for nobody
  }
  co_return report;
}

}  // namespace aegis
