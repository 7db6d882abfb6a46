#pragma once

#include "aegis/core/runtime.h"
#include "aegis/core/settings.h"
#include "aegis/http/server.h"
#include "app/database_setup.h"
#include "app/parts.h"

namespace aegis {

/// The health of a process that serves nothing else: /livez to /health/detailed at HEALTH_PORT.
/// It answers until the shutdown has come to its end.
class HealthServer {
 public:
  /// Listens at once, unless HEALTH_PORT is 0. Throws Error(unavailable), which names host and
  /// port. To be made after what is to be stopped after it.
  HealthServer(Runtime& runtime, App::Parts& parts, const DatabaseSetup& setup,
               const Settings& settings);

 private:
  Router router_;
  std::unique_ptr<Server> server_;
};

}  // namespace aegis
