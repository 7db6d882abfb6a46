#pragma once

#include "aegis/core/secret.h"
#include "aegis/http/router.h"

namespace aegis {

/// The HTTP API for jobs and queues, under /jobs and /queues: what the commands `jobs` and `queues`
/// do. Every request must carry `token` as `Authorization: Bearer <token>`, or is answered with
/// 401. The application provides the Database. Throws Error(internal) when a route is taken.
void add_jobs_routes(Router& router, Secret<std::string> token);

}  // namespace aegis
