#pragma once

#include <memory>

#include "db/driver.h"

namespace aegis::db::postgres {

/// The PostgreSQL driver. Throws Error(invalid) for a bad URL or setting; connects to nothing.
std::unique_ptr<Driver> make_driver(Runtime& runtime, const DatabaseOptions& options);

}  // namespace aegis::db::postgres
