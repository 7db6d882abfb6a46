#pragma once

#include <optional>
#include <string>

#include "aegis/core/settings.h"
#include "app/parts.h"

/// The `jobs` and `queues` commands. Each answers the exit code, and throws Error when the database
/// is away.
namespace aegis::commands {

/// Which jobs a command is about.
struct JobChoice {
  std::optional<std::int64_t> id{};
  std::optional<std::string> state{}, kind{}, queue{};
  std::int64_t limit = 50;

  bool none() const { return !id && !state && !kind && !queue; }
};

int jobs_list(const Settings& settings, const JobChoice& choice, bool json);
int jobs_show(const Settings& settings, std::int64_t id, bool json);
enum class JobAction : std::uint8_t { retry, cancel, erase };
/// Fails when no job was changed.
int jobs_change(const Settings& settings, JobAction action, const JobChoice& choice);
int jobs_stats(const Settings& settings, bool json);
int queues_list(const Settings& settings, bool json);
int queues_pause(const Settings& settings, const std::string& queue, bool paused);

}  // namespace aegis::commands
