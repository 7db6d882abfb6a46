#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "aegis/core/awaitable.h"
#include "aegis/core/time.h"

namespace aegis {

/// From good to bad; a tree's status is its worst part's.
enum class HealthStatus : std::uint8_t {
  healthy,
  info,       ///< works; there is something to know
  warning,    ///< works; somebody should act
  unhealthy,  ///< does not work
};

std::string_view to_string(HealthStatus status);

using HealthValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// The state of one part of the application.
struct ComponentHealth {
  std::string name{};
  HealthStatus status = HealthStatus::healthy;
  std::string message{};  ///< for people: what is, and when it is bad, what to do
  double response_time_ms = 0;
  /// A value under a secret's key (password, token, …) is shown as `***`.
  std::vector<std::pair<std::string, HealthValue>> metadata{};
  std::vector<ComponentHealth> sub_components{};
  bool shared = false;  ///< HealthCheck::shared(), as the registry found it

  /// The worst of this component's own status and its sub-components'.
  HealthStatus worst() const;
};

/// Looks at one part of the application.
class HealthCheck {
 public:
  virtual ~HealthCheck() = default;
  virtual std::string_view name() const = 0;
  /// Whether it looks at what all processes have in common, such as a queue. No process is better
  /// than another there, so `health probe`, by which single ones are replaced, leaves it out.
  virtual bool shared() const { return false; }
  /// An exception counts as unhealthy with its message. Runs on the core of whoever asks, and on
  /// several cores at once when several do.
  virtual awaitable<ComponentHealth> check() = 0;
};

/// What /health/detailed tells.
struct HealthReport {
  std::string service{}, version{};
  Timestamp timestamp{};
  std::vector<ComponentHealth> components{};
  std::vector<std::pair<std::string, HealthValue>> system_info{};

  HealthStatus status() const;
  bool healthy() const { return status() != HealthStatus::unhealthy; }
  /// The fields of Aegis Stack's health reply, as JSON.
  std::string json(bool detailed) const;
  /// The tree for a terminal.
  std::string text(bool detailed, bool colours) const;
};

/// All checks of the application.
class HealthRegistry {
 public:
  HealthRegistry(std::string service, std::string version);
  ~HealthRegistry();

  /// Throws Error(internal) when a check of that name is there already.
  void add(std::unique_ptr<HealthCheck> check);
  /// Runs all checks side by side; one that takes longer than `limit` is unhealthy and says so.
  awaitable<HealthReport> check(std::chrono::milliseconds limit = std::chrono::seconds(5)) const;

 private:
  std::string service_, version_;
  std::vector<std::unique_ptr<HealthCheck>> checks_;
};

/// CPU, memory and disk as this process may use them: the container's cgroup limits (v1 and v2)
/// count, not the machine's.
std::unique_ptr<HealthCheck> system_health();

}  // namespace aegis
