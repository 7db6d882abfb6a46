#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "aegis/health/health.h"

namespace aegis {

/// What a running service answered.
struct HealthAnswer {
  int status = 0;
  std::string json{};
};

/// Asks http://host:port`target`. Nothing when nobody answers HTTP there within `limit`.
std::optional<HealthAnswer> ask_health(const std::string& host, std::uint16_t port,
                                       const std::string& target, std::chrono::milliseconds limit);

/// Reads what HealthReport::json wrote. Nothing when it is something else.
std::optional<HealthReport> read_health(std::string_view json);

}  // namespace aegis
