#pragma once

#include <vector>

#include "aegis/core/secret.h"
#include "aegis/http/router.h"
#include "aegis/jobs/job.h"

namespace aegis {

/// The HTTP API for schedules, under /schedules: what the command `schedules` does. Every request
/// must carry `token` as `Authorization: Bearer <token>`, or is answered with 401. `kinds` are the
/// jobs that new schedules may be for. The application provides the Database. Throws
/// Error(internal) when a route is taken.
void add_schedules_routes(Router& router, Secret<std::string> token,
                          std::vector<const JobKind*> kinds);

}  // namespace aegis
