#pragma once

#include <string>

#include "aegis/core/settings.h"
#include "jobs/admin.h"

/// The `jobs` and `queues` commands. Each answers the exit code, and throws Error when the database
/// is away.
namespace aegis::commands {

int jobs_list(const Settings& settings, const jobs::JobFilter& chosen, std::int64_t limit,
              bool json);
int jobs_show(const Settings& settings, std::int64_t id, bool json);
/// Fails when no job was changed.
int jobs_change(const Settings& settings, jobs::JobAction action, const jobs::JobFilter& chosen,
                const jobs::When& when = {});
int jobs_stats(const Settings& settings, bool json);
int queues_list(const Settings& settings, bool json);
int queues_pause(const Settings& settings, const std::string& queue, bool paused);

}  // namespace aegis::commands
