#pragma once

#include <string>

namespace aegis::testing {

/// Throws Error(invalid) when `url` is the DATABASE_URL that the environment or .env configures:
/// a test must not touch the database that people use.
void refuse_production_database(const std::string& url);

}  // namespace aegis::testing
