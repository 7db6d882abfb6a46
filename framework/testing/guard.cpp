#include "testing/guard.h"

#include "aegis/core/config.h"

namespace aegis::testing {

void refuse_production_database(const std::string& url) {
  Settings settings;
  Config config = Config::load();
  config.read(settings);
  if (url != settings.database_url) return;
  throw Error(Errc::invalid, "This test would use the configured database, DATABASE_URL=" +
                                 mask_url_password(url) +
                                 ". Give it one of its own: unset TEST_DATABASE_URL for a database "
                                 "in memory, or name another.");
}

}  // namespace aegis::testing
