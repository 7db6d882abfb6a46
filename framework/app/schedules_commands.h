#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aegis/core/settings.h"
#include "app/parts.h"
#include "schedule/admin.h"

/// The `schedules` commands. Each answers the exit code, and throws Error when the database is
/// away.
namespace aegis::commands {

int schedules_list(const Settings& settings, bool json);
int schedules_show(const Settings& settings, const std::string& name, bool json);
int schedules_next(const Settings& settings, const std::optional<std::string>& name, int count,
                   bool json);
int schedules_history(const Settings& settings, const std::optional<std::string>& name,
                      std::int64_t limit, bool json);
int schedules_create(const App::Parts& parts, const Settings& settings, const ScheduleSpec& spec);
int schedules_delete(const Settings& settings, const std::string& name);
int schedules_run(const App::Parts& parts, const Settings& settings, const std::string& name);
int schedules_pause(const Settings& settings, const std::string& name, bool paused);

}  // namespace aegis::commands
